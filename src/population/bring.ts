import { type RawBuilder, sql, type Transaction } from 'kysely';
import type { DB } from '../schema/database.ts';
import { isEmpty, loadUnindexed } from '../schema/warehouse/bulk.ts';
import { refreshStatistics } from './statistics.ts';

/** A table of the picture, and the temporary table with what it should say of some persons. */
interface Bringing {
  /** With its schema. */
  readonly table: string;
  /** One row at most for each key. */
  readonly draft: string;
  /** A table of the persons that the draft speaks of; whoever is not in the draft goes from the table. */
  readonly persons: string;
  /** The columns that name a row, beside person_id. */
  readonly key: readonly string[];
  readonly values: readonly string[];
}

/**
 * Brings a table to its draft, for the persons named: rows that went are deleted, rows that differ are written, new
 * ones are added. What is as it was is not written. An empty table is filled at once.
 */
export async function bringTable(tx: Transaction<DB>, bringing: Bringing): Promise<void> {
  const { table, draft } = bringing;
  if (!(await isEmpty(tx, table))) return bringDifferences(tx, bringing);
  if (!(await isEmpty(tx, draft))) await loadUnindexed(tx, table, () => fill(tx, bringing));
}

/** In the order of the key, so that what is known of a person lies together. */
async function fill(tx: Transaction<DB>, { table, draft, key, values }: Bringing): Promise<void> {
  const columns = sql.join(['person_id', ...key, ...values].map((name) => sql.id(name)));
  await sql`
    INSERT INTO ${sql.table(table)} (${columns})
    SELECT ${columns} FROM ${sql.id(draft)} ORDER BY ${sql.join(['person_id', ...key].map((name) => sql.id(name)))}`.execute(
    tx,
  );
}

/**
 * After: temporary table `difference` has had the rows of the draft that the table lacks or has otherwise (`is_draft`),
 * and the keys of those that the draft lacks; the table is brought.
 */
async function bringDifferences(tx: Transaction<DB>, bringing: Bringing): Promise<void> {
  const { draft, persons, values } = bringing;
  const table = sql.table(bringing.table);
  const key = ['person_id', ...bringing.key];
  const list = (names: readonly string[], alias: string): RawBuilder<unknown> =>
    sql.join(names.map((name) => sql.id(alias, name)));
  const isSame = sql.join(
    key.map((name) => sql`d.${sql.id(name)} = s.${sql.id(name)}`),
    sql` AND `,
  );
  // A full join is made by hashes or by merging, never row by row, whatever is known of the tables.
  await sql`
    CREATE TEMPORARY TABLE difference ON COMMIT DROP AS
    SELECT ${sql.join(key.map((name) => sql`coalesce(${sql.id('d', name)}, ${sql.id('s', name)}) AS ${sql.id(name)}`))},
           ${list(values, 'd')}, d.person_id IS NOT NULL AS is_draft, s.person_id IS NOT NULL AS is_known
    FROM ${sql.id(draft)} d
    FULL JOIN (SELECT s.* FROM ${table} s JOIN ${sql.id(persons)} p ON p.person_id = s.person_id) s ON ${isSame}
    WHERE d.person_id IS NULL OR s.person_id IS NULL OR (${list(values, 's')}) IS DISTINCT FROM (${list(values, 'd')})`.execute(
    tx,
  );
  await sql`ANALYZE difference (person_id)`.execute(tx);
  const gone = await sql`
    DELETE FROM ${table} s USING difference d WHERE NOT d.is_draft AND ${isSame}`.execute(tx);
  const changed = await sql`
    UPDATE ${table} s SET ${sql.join(values.map((name) => sql`${sql.id(name)} = ${sql.id('d', name)}`))}
    FROM difference d WHERE d.is_draft AND d.is_known AND ${isSame}`.execute(tx);
  const added = await sql`
    INSERT INTO ${table} (${sql.join([...key, ...values].map((name) => sql.id(name)))})
    SELECT ${list([...key, ...values], 'd')} FROM difference d WHERE NOT is_known`.execute(tx);
  await sql`DROP TABLE difference`.execute(tx);
  const written = [gone, changed, added].reduce(
    (sum, { numAffectedRows }) => sum + Number(numAffectedRows ?? 0),
    0,
  );
  await refreshStatistics(tx, bringing.table, written);
}
