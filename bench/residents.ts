// Who lives in a county, against its truth: the residents that the picture identifies, the plain register and the
// dual-system estimate, and rule MP07. An invented county (persons, seed), or a folder with deliveries and truth.
import { mkdtemp, readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { sql } from 'kysely';
import { loadRules } from '../src/anomalies/rule-file.ts';
import { runNight } from '../src/jobs/nightly.ts';
import { loadConfiguration } from '../src/schema/configuration/load.ts';
import { CONTRACTS } from '../src/schema/contracts/index.ts';
import { openWarehouse, type Warehouse } from '../src/schema/warehouse/connect.ts';
import { startEmbedded } from '../src/schema/warehouse/embedded.ts';
import { migrate } from '../src/schema/warehouse/migrate.ts';
import { synthesise } from '../src/synth/synthesise.ts';
import { removeServer } from './server.ts';
import { printTable, seconds } from './table.ts';

const NIGHTS = ['2026-11-18', '2026-11-19'];
/** Who is born after this year is no adult on these nights. */
const LAST_ADULT_YEAR = 2008;
const [given = '20000', seed = '1'] = process.argv.slice(2);

const folder = await mkdtemp(path.join(tmpdir(), 'popshare-residents-'));
const server = await startEmbedded({ folder: path.join(folder, 'postgres') });
try {
  const county = /^\d+$/.test(given) ? path.join(folder, 'county') : given;
  if (county !== given)
    await synthesise({ persons: Number(given), nights: 3, seed: Number(seed), out: county });
  const warehouse = await openWarehouse(server.url);
  await migrate(warehouse, CONTRACTS);
  const configuration = await loadConfiguration('config');
  const rules = (await loadRules('config/rules')).filter(({ rule }) => rule === 'MP07');
  for (const [index, businessDate] of NIGHTS.entries()) {
    await runNight({
      warehouse,
      configuration,
      rules,
      dataFolder: folder,
      dropFolder: path.join(county, 'deliveries'),
      businessDate,
      purpose: 'nightly',
      feeds: [],
      progress: { stepBegan: () => {}, stepEnded: () => {}, rows: () => {} },
    });
    if (index === 0) await compare(warehouse, await readTruth(county));
  }
  await printTimes(warehouse);
  await warehouse.close();
} finally {
  await removeServer(server, folder);
}

interface Truth {
  readonly residents: ReadonlySet<string>;
  readonly registered: ReadonlySet<string>;
  /** Registered adults who live elsewhere. */
  readonly gone: ReadonlySet<string>;
  /** `feed key role` → true person. */
  readonly personOf: ReadonlyMap<string, string>;
}

async function readTruth(county: string): Promise<Truth> {
  const table = async (name: string): Promise<string[][]> =>
    (await readFile(path.join(county, name), 'utf8'))
      .trimEnd()
      .split('\n')
      .slice(1)
      .map((line) => line.split('\t'));
  const alive = (await table('persons.tsv')).filter((row) => row[7] === '1');
  const numbers = (holds: (row: string[]) => boolean): Set<string> =>
    new Set(alive.filter(holds).map(([number = '']) => number));
  return {
    residents: numbers((row) => row[6] === '1'),
    registered: numbers((row) => row[5] === '1'),
    gone: numbers(
      ([, , , , birth = '', registered, here]) =>
        registered === '1' && here === '0' && Number(birth.slice(0, 4)) <= LAST_ADULT_YEAR,
    ),
    personOf: new Map(
      (await table('truth.tsv')).map(([feed, key, role, person = '']) => [`${feed} ${key} ${role}`, person]),
    ),
  };
}

/** Over-coverage: counted, and not living here; under-coverage: living here, and not counted. */
async function compare(warehouse: Warehouse, truth: Truth): Promise<void> {
  const { residents, registered, gone, personOf } = truth;
  const { rows: identified } = await sql<{ record: string }>`
    SELECT DISTINCT ON (person_id) feed || ' ' || source_key || ' ' || role AS record
    FROM population.residence_on(${NIGHTS[0]}::date) JOIN reporting.link USING (person_id)
    WHERE category <> 'out_migrant'
    ORDER BY person_id, CASE feed WHEN 'household_register' THEN 1 ELSE 2 END, feed, source_key, role`.execute(
    warehouse.db,
  );
  const found = new Set(identified.map(({ record }) => personOf.get(record) ?? record));
  const { rows: estimates } = await sql<{ dual_system: number; standard_error: number; registered: number }>`
    SELECT dual_system, standard_error, registered FROM population.resident_estimate WHERE as_of = ${NIGHTS[0]}::date`.execute(
    warehouse.db,
  );
  const [estimate] = estimates;
  if (estimate === undefined) throw new Error('the first night has no estimate');
  const percent = (part: number): string => `${((100 * part) / residents.size).toFixed(2)} %`;
  const coverage = (list: ReadonlySet<string>): string[] => [
    percent(list.difference(residents).size),
    percent(residents.difference(list).size),
  ];
  printTable(
    ['estimate', 'persons', 'against the truth', 'over-coverage', 'under-coverage'],
    [
      ['truth', String(residents.size), '', '', ''],
      [
        'register',
        String(registered.size),
        percent(registered.size - residents.size),
        ...coverage(registered),
      ],
      [
        'identified',
        String(identified.length),
        percent(identified.length - residents.size),
        ...coverage(found),
      ],
      [
        `dual system (± ${estimate.standard_error.toFixed(0)})`,
        estimate.dual_system.toFixed(0),
        percent(estimate.dual_system - residents.size),
        '',
        '',
      ],
    ],
  );
  const { rows: cases } = await sql<{ record: string }>`
    SELECT feed || ' ' || source_key || ' subject' AS record FROM reporting.anomaly
    WHERE rule = 'MP07' AND status NOT IN ('resolved', 'dismissed')`.execute(warehouse.db);
  const reported = new Set(cases.map(({ record }) => personOf.get(record) ?? record));
  const right = reported.intersection(gone).size;
  printTable(
    ['MP07 reported', 'gone', 'precision', 'recall'],
    [
      [
        String(reported.size),
        String(gone.size),
        (right / reported.size).toFixed(3),
        (right / gone.size).toFixed(3),
      ],
    ],
  );
}

async function printTimes(warehouse: Warehouse): Promise<void> {
  const { rows } = await sql<{ night: string; ms: number }>`
    SELECT business_date::text AS night, extract(epoch FROM s.finished_at - s.started_at)::float8 * 1000 AS ms
    FROM ops.step s JOIN ops.run USING (run_id) WHERE s.name = 'population' ORDER BY s.step_id`.execute(
    warehouse.db,
  );
  printTable(
    ['picture of', 'seconds'],
    rows.map(({ night, ms }) => [night, seconds(ms)]),
  );
}
