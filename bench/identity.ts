// How well and how fast identity links an invented county (or any county with its truth): pairwise precision and
// recall, reviews, the mentions of each kind of error that found their person, and the time against a bare COPY.
import { mkdtemp, readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { sql } from 'kysely';
import { loadConfiguration } from '../src/schema/configuration/load.ts';
import { CONTRACTS } from '../src/schema/contracts/index.ts';
import { openWarehouse, type Warehouse } from '../src/schema/warehouse/connect.ts';
import { startEmbedded } from '../src/schema/warehouse/embedded.ts';
import { migrate } from '../src/schema/warehouse/migrate.ts';
import { partOfNight } from '../test/support/part-of-night.ts';
import { inventedCounty } from './county.ts';
import { matchTimes } from './match.ts';
import { removeServer } from './server.ts';
import { printTable, seconds } from './table.ts';
import { bringTsv } from './tsv.ts';

const FIRST_NIGHT = '2026-11-18';
const [given = '100000', seed = '1'] = process.argv.slice(2);

const folder = await mkdtemp(path.join(tmpdir(), 'popshare-bench-'));
const server = await startEmbedded({ folder: path.join(folder, 'postgres') });
try {
  const county = /^\d+$/.test(given) ? await inventedCounty(Number(given), Number(seed)) : given;
  const warehouse = await openWarehouse(server.url);
  await migrate(warehouse, CONTRACTS);
  const configuration = await loadConfiguration('config');
  const nights: { date: string; identity: number }[] = [];
  const days = new Set(
    (await readFile(path.join(county, 'sent.tsv'), 'utf8'))
      .trim()
      .split('\n')
      .slice(1)
      .map((line) => Number(line.split('\t')[0])),
  );
  // One night more than was sent for: nothing arrives on it.
  for (const night of [...days, Math.max(...days) + 1]) {
    const date = new Date(Date.parse(FIRST_NIGHT) + (night - 1) * 86_400_000).toISOString().slice(0, 10);
    const isSent = days.has(night);
    const options = {
      warehouse,
      configuration,
      rules: [],
      dataFolder: folder,
      dropFolder: isSent ? path.join(county, 'deliveries') : null,
      businessDate: date,
      purpose: 'nightly',
      feeds: configuration.bindings.map(({ feed }) => feed),
      progress: { stepBegan: () => {}, stepEnded: () => {}, rows: () => {} },
    } as const;
    const report = await partOfNight(options, ['ingest', 'identity']);
    nights.push({ date: isSent ? date : `${date}, without changes`, identity: report.identity.ms });
    if (night === 1) await accuracy(warehouse, county);
  }
  const bare = await bareCopy(warehouse);
  const full = nights[0]?.identity ?? 0;
  printTable(
    ['what', 'seconds', 'ratio'],
    [
      ['bare COPY of the mention table', seconds(bare), '1'],
      ...nights.map(({ date, identity }, index) => [
        index === 0 ? 'first reconciliation' : `night ${date}`,
        seconds(identity),
        index === 0
          ? `${(identity / bare).toFixed(1)} × COPY`
          : `${((100 * identity) / full).toFixed(1)} % of the first`,
      ]),
    ],
  );
  printTable(
    ['match', 'requests', 'median', '95th percentile'],
    (await matchTimes(warehouse)).map(({ what, milliseconds }) => [
      what,
      String(milliseconds.length),
      `${percentile(milliseconds, 0.5).toFixed(1)} ms`,
      `${percentile(milliseconds, 0.95).toFixed(1)} ms`,
    ]),
  );
  printTable(['peak memory of Node'], [[`${Math.round(process.resourceUsage().maxRSS / 1024)} MB`]]);
  await warehouse.close();
} finally {
  await removeServer(server, folder);
}

function percentile(sorted: readonly number[], share: number): number {
  return sorted[Math.floor(sorted.length * share)] ?? 0;
}

/** Compares the links with the truth; persons with a double registration (ID02) are set aside, as the truth has them. */
async function accuracy(warehouse: Warehouse, county: string): Promise<void> {
  await bringTsv(
    warehouse,
    path.join(county, 'truth.tsv'),
    'truth',
    'feed text, source_key text, role text, person int',
  );
  await bringTsv(
    warehouse,
    path.join(county, 'planted.tsv'),
    'planted',
    'rule text, night int, feed text, source_key text, note text',
  );
  await sql`ANALYZE truth, planted`.execute(warehouse.db);
  await sql`
    CREATE TABLE linked AS
    SELECT m.mention_id, m.feed, m.source_key, m.role, m.id_kind, m.birth_date IS NOT NULL AS has_birth, t.person, l.person_id, l.method
    FROM truth t JOIN identity.mention m USING (feed, source_key, role) JOIN identity.link l USING (mention_id)
    WHERE m.active AND NOT EXISTS (SELECT FROM planted p WHERE p.rule = 'ID02' AND p.feed = t.feed AND p.source_key = t.source_key)`.execute(
    warehouse.db,
  );
  await sql`ANALYZE linked`.execute(warehouse.db);
  const { rows } = await sql<{
    mentions: number;
    precision: number;
    recall: number;
    mixed: number;
    reviews: number;
  }>`
    WITH cell AS (SELECT person, person_id, count(*)::float8 AS n FROM linked GROUP BY 1, 2),
    found AS (SELECT sum(n * (n - 1) / 2) AS pairs, count(*) AS persons, sum((parts > 1)::int) AS mixed
              FROM (SELECT sum(n) AS n, count(*) AS parts FROM cell GROUP BY person_id) p),
    true_pairs AS (SELECT sum(n * (n - 1) / 2) AS pairs FROM (SELECT sum(n) AS n FROM cell GROUP BY person) p),
    both_pairs AS (SELECT sum(n * (n - 1) / 2) AS pairs FROM cell)
    SELECT (SELECT count(*) FROM linked) AS mentions, b.pairs / f.pairs AS precision, b.pairs / t.pairs AS recall, f.mixed,
           (SELECT count(*) FROM identity.review WHERE status = 'open') AS reviews
    FROM found f, true_pairs t, both_pairs b`.execute(warehouse.db);
  const [all] = rows;
  if (all === undefined) return;
  printTable(
    ['mentions', 'pairwise precision', 'pairwise recall', 'persons mixed', 'reviews', 'reviews per mention'],
    [
      [
        String(all.mentions),
        all.precision.toFixed(6),
        all.recall.toFixed(6),
        String(all.mixed),
        String(all.reviews),
        `${((100 * all.reviews) / all.mentions).toFixed(3)} %`,
      ],
    ],
  );
  await byErrorKind(warehouse);
}

/** Of the mentions with each kind of error, how many are with the person that most mentions of the true person have. */
async function byErrorKind(warehouse: Warehouse): Promise<void> {
  const { rows } = await sql<{ kind: string; mentions: number; found: number; wrong: number }>`
    WITH home AS (
      SELECT DISTINCT ON (person) person, person_id, n FROM (SELECT person, person_id, count(*) AS n FROM linked GROUP BY 1, 2) c
      ORDER BY person, n DESC, person_id),
    size AS (SELECT person, count(*) AS mentions FROM linked GROUP BY 1),
    flaw AS (
      SELECT mention_id, 'number with a slip' AS kind FROM linked WHERE id_kind = 'invalid'
      UNION ALL SELECT mention_id, 'no number, birth date given' FROM linked WHERE id_kind = 'absent' AND has_birth
      UNION ALL SELECT mention_id, 'no number, no birth date' FROM linked WHERE id_kind = 'absent' AND NOT has_birth
      UNION ALL SELECT mention_id, '15 digits' FROM linked WHERE id_kind = 'resident_15'
      UNION ALL
      SELECT DISTINCT l.mention_id, CASE p.rule WHEN 'ID04' THEN 'homophone or look-alike' WHEN 'DQ10' THEN 'lost character'
               WHEN 'DQ08' THEN 'lunar birthday' WHEN 'DQ07' THEN 'other birth date' WHEN 'DQ03' THEN 'impossible birth in the number'
               WHEN 'ID01' THEN 'number of somebody else' END
             || CASE WHEN l.id_kind = 'absent' OR l.id_kind = 'invalid' THEN ', and no usable number' ELSE '' END
      FROM linked l
      CROSS JOIN LATERAL (VALUES (l.source_key), (split_part(l.source_key, '|', 1))) AS k (source_key)
      JOIN planted p ON p.feed = l.feed AND split_part(p.source_key, '/', 1) = k.source_key
       AND split_part(p.source_key, '/', 2) IN ('', l.role)
      WHERE p.rule IN ('ID04', 'DQ10', 'DQ08', 'DQ07', 'DQ03', 'ID01') AND p.night = 1)
    SELECT f.kind, count(*) AS mentions,
           count(*) FILTER (WHERE l.person_id = h.person_id) AS found,
           count(*) FILTER (WHERE l.person_id <> h.person_id AND EXISTS (
             SELECT FROM linked o WHERE o.person_id = l.person_id AND o.person <> l.person)) AS wrong
    FROM flaw f JOIN linked l USING (mention_id) JOIN home h USING (person) JOIN size s USING (person)
    WHERE s.mentions > 1
    GROUP BY f.kind ORDER BY f.kind`.execute(warehouse.db);
  printTable(
    ['kind of error', 'mentions', 'with their person', 'with somebody else'],
    rows.map(({ kind, mentions, found, wrong }) => [
      kind,
      String(mentions),
      `${((100 * found) / mentions).toFixed(2)} %`,
      String(wrong),
    ]),
  );
}

/** The yardstick: the mention table's rows into an unindexed table, server to server file. */
async function bareCopy(warehouse: Warehouse): Promise<number> {
  const client = await warehouse.pool.connect();
  try {
    await client.query('CREATE TABLE bare_mention (LIKE identity.mention)');
    const file = path.join(folder, 'postgres', 'data', 'mentions.copy');
    await client.query(`COPY identity.mention TO '${await serverPath(client, file)}'`);
    const started = performance.now();
    await client.query(`COPY bare_mention FROM '${await serverPath(client, file)}'`);
    return performance.now() - started;
  } finally {
    client.release();
  }
}

/** A file in the server's own data folder, wherever that is. */
async function serverPath(
  client: { query(text: string): Promise<{ rows: { folder?: string }[] }> },
  file: string,
): Promise<string> {
  const { rows } = await client.query(`SELECT current_setting('data_directory') AS folder`);
  return path.join(rows[0]?.folder ?? '', path.basename(file));
}
