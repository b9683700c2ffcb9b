// How right the profiles of a county with a known truth are, beside two plain ways to choose a value, and how long
// profiles, dwellings and households take against a bare COPY of the mention table.
import { mkdtemp, readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { sql } from 'kysely';
import { runNight } from '../src/jobs/nightly.ts';
import { updateDwellings } from '../src/population/dwellings.ts';
import { updateHouseholds } from '../src/population/households.ts';
import { updateProfiles } from '../src/population/profile.ts';
import { loadSurvivorship } from '../src/population/survivorship.ts';
import { gatherMentions } from '../src/population/touched.ts';
import { loadConfiguration } from '../src/schema/configuration/load.ts';
import { CONTRACTS } from '../src/schema/contracts/index.ts';
import { openWarehouse, type Warehouse } from '../src/schema/warehouse/connect.ts';
import { startEmbedded } from '../src/schema/warehouse/embedded.ts';
import { migrate } from '../src/schema/warehouse/migrate.ts';
import { removeServer } from './server.ts';
import { printTable, seconds } from './table.ts';

/** A folder as `popshare synth` writes it: deliveries, truth.tsv and persons.tsv. */
const [county = 'demo', firstNight = '2026-11-18', secondNight = '2026-11-19'] = process.argv.slice(2);
const COMPARED = ['id_number', 'name', 'sex', 'birth_date'] as const;

const folder = await mkdtemp(path.join(tmpdir(), 'popshare-bench-'));
const server = await startEmbedded({ folder: path.join(folder, 'postgres') });
try {
  const warehouse = await openWarehouse(server.url);
  await migrate(warehouse, CONTRACTS);
  const first = await night(warehouse, firstNight);
  const bare = await bareCopy(warehouse);
  await sql`
    TRUNCATE population.person, population.disagreement, population.dwelling, population.dwelling_person,
      population.household, population.household_member, population.relation`.execute(warehouse.db);
  const everybody = await update(warehouse, 0);
  await accuracy(warehouse);
  await sql`ANALYZE`.execute(warehouse.db);
  await night(warehouse, secondNight);
  const changed = await update(warehouse, first);
  printTable(
    ['what', 'first update, seconds', '× COPY of the mentions', 'second night, seconds'],
    Object.entries(everybody).map(([what, time]) => [
      what,
      seconds(time),
      (time / bare).toFixed(1),
      seconds(changed[what] ?? 0),
    ]),
  );
  await warehouse.close();
} finally {
  await removeServer(server, folder);
}

/** @returns the run */
async function night(warehouse: Warehouse, businessDate: string): Promise<number> {
  const report = await runNight({
    warehouse,
    configuration: await loadConfiguration('config'),
    rules: [],
    dataFolder: folder,
    dropFolder: path.join(county, 'deliveries'),
    businessDate,
    purpose: 'nightly',
    feeds: [],
    progress: { stepBegan: () => {}, stepEnded: () => {}, rows: () => {} },
  });
  return report.run_id;
}

/** Milliseconds by part, for the persons of whom a mention changed since a run. */
async function update(warehouse: Warehouse, afterRun: number): Promise<Record<string, number>> {
  const survivorship = await loadSurvivorship('config');
  const times: Record<string, number> = {};
  await warehouse.db.transaction().execute(async (tx) => {
    await sql`SET LOCAL work_mem = '256MB'`.execute(tx);
    await sql`CREATE TEMPORARY TABLE touched_person (person_id bigint PRIMARY KEY) ON COMMIT DROP`.execute(
      tx,
    );
    await sql`
      INSERT INTO touched_person
      SELECT DISTINCT person_id FROM identity.mention JOIN identity.link USING (mention_id)
      WHERE changed_run > ${afterRun}`.execute(tx);
    await sql`ANALYZE touched_person`.execute(tx);
    await gatherMentions(tx);
    const parts = {
      profiles: () => updateProfiles(tx, { survivorship, isFirst: afterRun === 0 }),
      dwellings: () => updateDwellings(tx),
      households: () => updateHouseholds(tx),
    };
    for (const [what, work] of Object.entries(parts)) {
      const started = performance.now();
      await work();
      times[what] = performance.now() - started;
    }
  });
  return times;
}

/** The yardstick: the mention table's rows into an unindexed table, from a file of the server's own. */
async function bareCopy(warehouse: Warehouse): Promise<number> {
  const { rows } = await sql<{ file: string }>`
    SELECT current_setting('data_directory') || '/mentions.copy' AS file`.execute(warehouse.db);
  const file = sql.lit(rows[0]?.file ?? '');
  await sql`COPY identity.mention TO ${file}`.execute(warehouse.db);
  await sql`CREATE TABLE bare_mention (LIKE identity.mention)`.execute(warehouse.db);
  const started = performance.now();
  await sql`COPY bare_mention FROM ${file}`.execute(warehouse.db);
  return performance.now() - started;
}

type Values = Record<(typeof COMPARED)[number], string | null>;

interface Chosen extends Values {
  readonly record: string;
  readonly person_id: number;
  readonly how: 'profile' | 'household register' | 'random mention';
}

/** Of the persons that the warehouse knows, of how many the value chosen is right; in brackets, of those that have one. */
async function accuracy(warehouse: Warehouse): Promise<void> {
  const truth = new Map(
    (await tsv('truth.tsv')).map(([feed, key, role, person]) => [`${feed} ${key} ${role}`, person]),
  );
  const persons = new Map(
    (await tsv('persons.tsv')).map(([person, id_number, name, sex, birth]) => [
      person,
      { id_number, name, sex, birth_date: birth },
    ]),
  );
  const { rows } = await sql<Chosen>`
    WITH said AS (
      SELECT l.person_id, m.mention_id, m.feed, concat_ws(' ', m.feed, m.source_key, m.role) AS record,
             m.id_number, m.name, m.sex, to_char(m.birth_date, 'YYYYMMDD') AS birth_date
      FROM identity.mention m JOIN identity.link l USING (mention_id) WHERE m.active),
    speaker AS (SELECT DISTINCT ON (person_id) person_id, record FROM said ORDER BY person_id, mention_id)
    SELECT s.record, p.person_id, 'profile' AS how, p.id_number, p.name, p.sex, to_char(p.birth_date, 'YYYYMMDD') AS birth_date
    FROM population.person p JOIN speaker s USING (person_id)
    UNION ALL
    (SELECT DISTINCT ON (person_id) record, person_id, 'household register', id_number, name, sex, birth_date
     FROM said WHERE feed = 'household_register' ORDER BY person_id, mention_id)
    UNION ALL
    (SELECT DISTINCT ON (person_id) record, person_id, 'random mention', id_number, name, sex, birth_date
     FROM said ORDER BY person_id, md5(mention_id::text))`.execute(warehouse.db);
  const total = rows.filter(({ how }) => how === 'profile').length;
  const share = (how: Chosen['how'], attribute: (typeof COMPARED)[number]): string => {
    const chosen = rows.filter((row) => row.how === how && row[attribute] !== null);
    const right = chosen.filter((row) => persons.get(truth.get(row.record))?.[attribute] === row[attribute]);
    const percent = (of: number): string => `${((100 * right.length) / of).toFixed(2)} %`;
    return `${percent(total)} (${percent(chosen.length)})`;
  };
  printTable(
    [`of ${total} persons`, 'profile', 'household register', 'random mention'],
    COMPARED.map((attribute) => [
      attribute,
      share('profile', attribute),
      share('household register', attribute),
      share('random mention', attribute),
    ]),
  );
}

async function tsv(name: string): Promise<(string | undefined)[][]> {
  const text = await readFile(path.join(county, name), 'utf8').catch(() =>
    readFile(path.join(county, 'truth', name), 'utf8'),
  );
  return text
    .trimEnd()
    .split('\n')
    .slice(1)
    .map((line) => line.split('\t'));
}
