import { type Kysely, type RawBuilder, sql } from 'kysely';
import type { Contract } from '../contracts/contract.ts';
import type { Field } from '../contracts/field.ts';
import type { DB } from '../database.ts';

/** Column type of a field in the registry. Text compares by bytes: the same order on every server. */
const COLUMN_TYPES = {
  text: 'text COLLATE "C"',
  date: 'date',
  timestamptz: 'timestamptz',
  integer: 'integer',
  numeric: 'numeric',
} as const;

/** The columns that popshare adds to a contract's own. */
const RECORD_COLUMNS = `
  source_key  text COLLATE "C" NOT NULL,
  delivery_id bigint NOT NULL,
  valid_from  date NOT NULL`;

/**
 * Brings the registry to the contracts: per feed a table of the records as they stand, one of the versions
 * they had (`_history`), and a function that answers "what did the records say on date D" (`_as_of`).
 *
 * Before: any earlier state. After: every field of every contract has its column. Nothing is dropped: a field
 * that left a contract keeps its column and its data.
 */
export async function migrateRegistry(db: Kysely<DB>, contracts: readonly Contract[]): Promise<void> {
  for (const contract of contracts) {
    const table = sql.id('registry', contract.feed);
    const history = sql.id('registry', `${contract.feed}_history`);
    await sql`CREATE TABLE IF NOT EXISTS ${table} (${sql.raw(RECORD_COLUMNS)}, PRIMARY KEY (source_key))`.execute(
      db,
    );
    await sql`CREATE TABLE IF NOT EXISTS ${history} (${sql.raw(RECORD_COLUMNS)},
      valid_to date NOT NULL, ended_by bigint NOT NULL)`.execute(db);
    for (const [name, field] of Object.entries(contract.fields)) {
      const column = sql`${sql.id(name)} ${sql.raw(COLUMN_TYPES[field.column])}`;
      await sql`ALTER TABLE ${table} ADD COLUMN IF NOT EXISTS ${column}`.execute(db);
      await sql`ALTER TABLE ${history} ADD COLUMN IF NOT EXISTS ${column}`.execute(db);
    }
    await sql`CREATE INDEX IF NOT EXISTS ${sql.id(`${contract.feed}_history_by_key`)}
      ON ${history} (source_key, valid_from)`.execute(db);
    await sql`CREATE INDEX IF NOT EXISTS ${sql.id(`${contract.feed}_history_by_end`)}
      ON ${history} USING brin (valid_to) WITH (autosummarize)`.execute(db);
    // What a delivery changed or removed.
    await sql`CREATE INDEX IF NOT EXISTS ${sql.id(`${contract.feed}_history_by_delivery`)}
      ON ${history} (ended_by)`.execute(db);
    for (const fields of contract.lookups) {
      await sql`CREATE INDEX IF NOT EXISTS ${sql.id(`${contract.feed}_by_${fields.join('_and_')}`)}
        ON ${table} (${sql.join(fields.map((field) => sql.id(field)))})
        WHERE ${sql.join(
          fields.map((field) => sql`${sql.id(field)} IS NOT NULL`),
          sql` AND `,
        )}`.execute(db);
    }
    await createAsOf(db, contract);
    await guardRecords(db, contract);
  }
  await sql`
    INSERT INTO reference.feed (feed, department)
    SELECT * FROM unnest(${contracts.map(({ feed }) => feed)}::text[], ${contracts.map(({ department }) => department)}::text[])
    ON CONFLICT (feed) DO UPDATE SET department = excluded.department`.execute(db);
}

const MASKED: Record<Field['masking'], (column: RawBuilder<unknown>) => RawBuilder<unknown>> = {
  none: (column) => column,
  id_number: (column) => sql`masking.id_number(${column})`,
  name: (column) => sql`masking.name(${column})`,
  phone: (column) => sql`masking.phone(${column})`,
  address: (column) => sql`masking.address(${column})`,
  date: (column) => sql`masking.birth_date(${column})`,
};

/**
 * The server sees records in scope: masked in `masked.<feed>`, and as they are only in the role popshare_export
 * (migration 0021).
 */
async function guardRecords(db: Kysely<DB>, { feed, fields }: Contract): Promise<void> {
  const table = sql.id('registry', feed);
  const view = sql.id('masked', feed);
  const seen = sql`access.sees_record(${sql.lit(feed)}, source_key)`;
  await sql`ALTER TABLE ${table} ENABLE ROW LEVEL SECURITY`.execute(db);
  await sql`DROP POLICY IF EXISTS scope ON ${table}`.execute(db);
  await sql`CREATE POLICY scope ON ${table} TO popshare_app, popshare_export USING (${seen})`.execute(db);
  await sql`GRANT SELECT ON ${table} TO popshare_export`.execute(db);
  const columns = Object.entries(fields).map(
    ([name, { masking }]) => sql`${MASKED[masking](sql.id(name))} AS ${sql.id(name)}`,
  );
  await sql`DROP VIEW IF EXISTS ${view}`.execute(db);
  await sql`
    CREATE VIEW ${view} WITH (security_barrier) AS
    SELECT source_key, delivery_id, valid_from, ${sql.join(columns)} FROM ${table}`.execute(db);
  await sql`GRANT CREATE ON SCHEMA masked TO popshare_export`.execute(db);
  await sql`ALTER VIEW ${view} OWNER TO popshare_export`.execute(db);
  await sql`REVOKE CREATE ON SCHEMA masked FROM popshare_export`.execute(db);
  await sql`GRANT SELECT ON ${view} TO popshare_app, popshare_export`.execute(db);
}

/** `registry.<feed>_as_of(date)`: the records as they stood at the end of that business date. */
async function createAsOf(db: Kysely<DB>, contract: Contract): Promise<void> {
  const columns = sql.join(
    ['source_key', 'delivery_id', 'valid_from', ...Object.keys(contract.fields)].map((name) => sql.id(name)),
  );
  const signature = Object.entries(contract.fields).map(
    ([name, field]) => sql`${sql.id(name)} ${sql.raw(field.column)}`,
  );
  const name = sql.id('registry', `${contract.feed}_as_of`);
  await sql`DROP FUNCTION IF EXISTS ${name}(date)`.execute(db);
  await sql`
    CREATE FUNCTION ${name}(on_date date)
    RETURNS TABLE (source_key text, delivery_id bigint, valid_from date, ${sql.join(signature)})
    LANGUAGE sql STABLE ROWS 1000000 AS $$
      SELECT ${columns} FROM ${sql.id('registry', contract.feed)} WHERE valid_from <= on_date
      UNION ALL
      SELECT ${columns} FROM ${sql.id('registry', `${contract.feed}_history`)}
      WHERE valid_from <= on_date AND on_date < valid_to
    $$`.execute(db);
}

/** Takes the registry's tables away again (migrating down). */
export async function dropRegistry(db: Kysely<DB>, contracts: readonly Contract[]): Promise<void> {
  for (const contract of contracts) {
    await sql`DROP VIEW IF EXISTS ${sql.id('masked', contract.feed)}`.execute(db);
    await sql`DROP FUNCTION IF EXISTS ${sql.id('registry', `${contract.feed}_as_of`)}(date)`.execute(db);
    await sql`DROP TABLE IF EXISTS ${sql.id('registry', contract.feed)}`.execute(db);
    await sql`DROP TABLE IF EXISTS ${sql.id('registry', `${contract.feed}_history`)}`.execute(db);
  }
}
