import { type Kysely, sql } from 'kysely';
import type { Migration } from 'kysely/migration';

/**
 * What each tally counts by. The first three know counties, the same three townships, the last the deliveries that
 * brought open cases. The order of the columns is that of the index: what questions name comes first.
 */
export const TALLIES = [
  { name: 'tally', cell: 'lane, status, county, department, severity, returned_to', queued: false },
  { name: 'tally_day', cell: 'status, priority, due_on, county, department, returned_to', queued: true },
  {
    name: 'tally_due',
    cell: 'lane, cause, status, due_on, county, priority, department, severity, returned_to',
    queued: true,
  },
  { name: 'tally_town', cell: 'town, lane, status, department, severity, returned_to', queued: false },
  { name: 'tally_town_day', cell: 'town, status, priority, due_on, department, returned_to', queued: true },
  {
    name: 'tally_town_due',
    cell: 'town, lane, cause, status, due_on, priority, department, severity, returned_to',
    queued: true,
  },
  { name: 'tally_group', cell: 'lane, cause', queued: true },
] as const;

const OPEN = `status IN ('new', 'assigned', 'returned')`;

/** The type of a column of a cell. What there is none of is the empty text. */
const typeOf = (column: string): string =>
  column === 'due_on' ? 'date' : column === 'priority' ? 'smallint' : 'text COLLATE "C"';

/**
 * The tallies as a book and a journal: whoever changes cases adds to one journal, and whoever finds much in it enters
 * it in the books. A tally is both together.
 */
async function up(db: Kysely<unknown>): Promise<void> {
  await sql`DROP TABLE anomalies.tally, anomalies.tally_due, anomalies.tally_group`.execute(db);
  await sql`
    CREATE TABLE anomalies.tally_move (
      due_on      date,
      cases       integer NOT NULL,
      priority    smallint NOT NULL,
      lane        text COLLATE "C" NOT NULL,
      department  text COLLATE "C" NOT NULL,
      severity    text COLLATE "C" NOT NULL,
      status      text COLLATE "C" NOT NULL,
      county      text COLLATE "C" NOT NULL,
      town        text COLLATE "C" NOT NULL,
      cause       text COLLATE "C" NOT NULL,
      returned_to text COLLATE "C" NOT NULL
    ) WITH (autovacuum_vacuum_threshold = 2000, autovacuum_vacuum_scale_factor = 0)`.execute(db);
  await sql`
    INSERT INTO anomalies.tally_move (due_on, cases, priority, lane, department, severity, status, county, town, cause, returned_to)
    SELECT due_on, count(*), CASE severity WHEN 'high' THEN 1 WHEN 'medium' THEN 2 ELSE 3 END, lane, department, severity,
           status, county, town, coalesce(cause, ''), coalesce(returned_to, '')
    FROM anomalies.anomaly GROUP BY 1, 3, 4, 5, 6, 7, 8, 9, 10, 11`.execute(db);
  for (const { name, cell, queued } of TALLIES) {
    const columns = cell.split(', ');
    const counts = [
      ...(queued ? [`severity <> 'info'`] : []),
      ...(name === 'tally_group' ? [OPEN, `cause <> ''`] : []),
    ];
    const where = counts.length === 0 ? '' : `WHERE ${counts.join(' AND ')}`;
    // Shares of the table, not of a county: a book of any size is swept before its dead rows slow down a page.
    await sql`
      CREATE TABLE anomalies.${sql.raw(`${name}_book`)} (
        ${sql.raw(columns.map((column) => `${column} ${typeOf(column)} NOT NULL`).join(', '))},
        cases integer NOT NULL,
        UNIQUE (${sql.raw(cell)})
      ) WITH (autovacuum_vacuum_scale_factor = 0.05, autovacuum_analyze_scale_factor = 0.05)`.execute(db);
    await sql`
      INSERT INTO anomalies.${sql.raw(`${name}_book`)} (${sql.raw(cell)}, cases)
      SELECT ${sql.raw(cell)}, sum(cases) FROM anomalies.tally_move ${sql.raw(where)} GROUP BY ${sql.raw(cell)}`.execute(
      db,
    );
    const parts = columns.includes('lane')
      ? `, split_part(lane, ' ', 1) COLLATE "C" AS rule, split_part(lane, ' ', 2) COLLATE "C" AS feed`
      : `, (CASE priority WHEN 1 THEN 'high' WHEN 2 THEN 'medium' ELSE 'low' END) COLLATE "C" AS severity`;
    await sql`
      CREATE VIEW anomalies.${sql.raw(name)} WITH (security_invoker = true) AS
      SELECT ${sql.raw(cell)}, cases${sql.raw(parts)} FROM anomalies.${sql.raw(`${name}_book`)}
      UNION ALL
      SELECT ${sql.raw(cell)}, cases${sql.raw(parts)} FROM anomalies.tally_move ${sql.raw(where)}`.execute(
      db,
    );
  }
  await sql`DELETE FROM anomalies.tally_move`.execute(db);
  await grantToServer(db);
  // Where the rows of a day are.
  await sql`CREATE INDEX tally_due_by_day ON anomalies.tally_due_book (priority, due_on, status)`.execute(db);
  await sql`CREATE INDEX tally_town_due_by_day ON anomalies.tally_town_due_book (town, priority, due_on, status)`.execute(
    db,
  );

  // A village, or what stands between two codes, without reading its township.
  await sql`
    CREATE INDEX anomaly_by_village ON anomalies.anomaly (division, status, lane, due_on, anomaly_id)
      INCLUDE (county, owner, cause, department, returned_to) WHERE severity <> 'info'`.execute(db);
}

/** The server's roles of step 21, which make no difference between cases that they may see: counts speak of no person. */
async function grantToServer(db: Kysely<unknown>): Promise<void> {
  for (const role of ['popshare_app', 'popshare_export']) {
    // Roles belong to the server, not to the database: another database may have made them already.
    await sql`
      DO $$ BEGIN
        CREATE ROLE ${sql.id(role)} NOLOGIN NOINHERIT;
      EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL;
      END $$`.execute(db);
    await sql`GRANT SELECT, INSERT, DELETE ON anomalies.tally_move TO ${sql.id(role)}`.execute(db);
    for (const { name } of TALLIES) {
      await sql`GRANT SELECT ON anomalies.${sql.raw(name)} TO ${sql.id(role)}`.execute(db);
      await sql`GRANT SELECT, INSERT, UPDATE ON anomalies.${sql.raw(`${name}_book`)} TO ${sql.id(role)}`.execute(
        db,
      );
    }
  }
}

async function down(db: Kysely<unknown>): Promise<void> {
  await sql`DROP INDEX anomalies.anomaly_by_village`.execute(db);
  for (const { name } of TALLIES) {
    await sql`DROP VIEW anomalies.${sql.raw(name)}`.execute(db);
    await sql`DROP TABLE anomalies.${sql.raw(`${name}_book`)}`.execute(db);
  }
  await sql`DROP TABLE anomalies.tally_move`.execute(db);
  const lane = `lane text COLLATE "C" NOT NULL GENERATED ALWAYS AS (rule || ' ' || coalesce(feed, '')) STORED`;
  const kind = ['rule', 'feed', 'department', 'severity', 'status', 'county'];
  await tableOfBefore(db, 'tally', kind, lane, 'true');
  const priority = `priority smallint NOT NULL
    GENERATED ALWAYS AS (CASE severity WHEN 'high' THEN 1 WHEN 'medium' THEN 2 ELSE 3 END) STORED`;
  await tableOfBefore(
    db,
    'tally_due',
    [...kind, 'cause', 'due_on'],
    `${priority}, ${lane}`,
    `severity <> 'info'`,
  );
  await sql`
    CREATE INDEX tally_due_open ON anomalies.tally_due (priority, due_on)
      INCLUDE (cases, severity, status, rule, feed, department, county, cause, lane) WHERE ${sql.raw(OPEN)}`.execute(
    db,
  );
  await sql`CREATE INDEX tally_due_by_day ON anomalies.tally_due (priority, due_on)`.execute(db);
  await sql`CREATE INDEX tally_due_by_cause ON anomalies.tally_due (lane, cause)`.execute(db);
  await tableOfBefore(
    db,
    'tally_group',
    ['rule', 'feed', 'cause'],
    null,
    `severity <> 'info' AND cause IS NOT NULL AND ${OPEN}`,
  );
}

/** A tally as it was before this step: differences, of which there is one for each cell. */
async function tableOfBefore(
  db: Kysely<unknown>,
  name: string,
  cell: readonly string[],
  generated: string | null,
  counts: string,
): Promise<void> {
  const nullable = name === 'tally_group' ? [] : ['feed', 'cause'];
  const columns = cell.map(
    (column) => `${column} ${typeOf(column)} ${nullable.includes(column) ? '' : 'NOT NULL'}`,
  );
  const all = [...columns, 'cases integer NOT NULL', ...(generated === null ? [] : [generated])];
  await sql`CREATE TABLE anomalies.${sql.raw(name)} (${sql.raw(all.join(', '))})`.execute(db);
  await sql`
    INSERT INTO anomalies.${sql.raw(name)} (${sql.raw(cell.join(', '))}, cases)
    SELECT ${sql.raw(cell.join(', '))}, count(*) FROM anomalies.anomaly WHERE ${sql.raw(counts)}
    GROUP BY ${sql.raw(cell.join(', '))}`.execute(db);
}

export const tallies: Migration = { up, down };
