import { type RawBuilder, sql, type Transaction } from 'kysely';
import type { DB } from '../database.ts';

/**
 * Lets the server share out among its processes whatever of the work can be shared: it takes handing rows on for
 * dearer than it is.
 *
 * @param smallestScan tables from this size on are read by several processes at once
 */
export async function sharedOut(
  tx: Transaction<DB>,
  smallestScan: '1MB' | '1TB',
  work: RawBuilder<unknown>,
): Promise<void> {
  await sql`SET LOCAL parallel_setup_cost = 100`.execute(tx);
  await sql`SET LOCAL parallel_tuple_cost = 0.001`.execute(tx);
  await sql`SET LOCAL min_parallel_table_scan_size = ${sql.lit(smallestScan)}`.execute(tx);
  await work.execute(tx);
  await sql`SET LOCAL parallel_setup_cost TO DEFAULT`.execute(tx);
  await sql`SET LOCAL parallel_tuple_cost TO DEFAULT`.execute(tx);
  await sql`SET LOCAL min_parallel_table_scan_size TO DEFAULT`.execute(tx);
}

/** Whether a table has no rows. */
export async function isEmpty(tx: Transaction<DB>, table: string): Promise<boolean> {
  const { rows } = await sql<{ empty: boolean }>`
    SELECT NOT EXISTS (SELECT FROM ${sql.table(table)}) AS empty`.execute(tx);
  return rows[0]?.empty ?? false;
}

/**
 * Fills an empty table without its indexes and builds them afterwards, each by one sort: what is scattered over an
 * index costs several times as much row by row. Whoever reads the table waits until the transaction ends.
 *
 * @param table with its schema
 */
export async function loadUnindexed<Result>(
  tx: Transaction<DB>,
  table: string,
  load: () => Promise<Result>,
): Promise<Result> {
  const indexes = await indexesOf(tx, table);
  for (const { drop } of indexes) await sql.raw(drop).execute(tx);
  // What a transaction truncates it need not log row by row, if the server keeps no log for others.
  await sql`TRUNCATE ${sql.table(table)}`.execute(tx);
  const result = await load();
  for (const { rebuild } of indexes) await sql.raw(rebuild).execute(tx);
  await sql`ANALYZE ${sql.table(table)}`.execute(tx);
  return result;
}

/**
 * The statements that take the indexes and keys of a table away, and that build them again.
 *
 * @param table with its schema
 */
export async function indexesOf(
  tx: Transaction<DB>,
  table: string,
): Promise<{ readonly drop: string; readonly rebuild: string }[]> {
  const { rows } = await sql<{ drop: string; rebuild: string }>`
    SELECT coalesce('ALTER TABLE ' || i.indrelid::regclass || ' DROP CONSTRAINT ' || quote_ident(k.conname),
                    'DROP INDEX ' || i.indexrelid::regclass) AS drop,
           coalesce('ALTER TABLE ' || i.indrelid::regclass || ' ADD CONSTRAINT ' || quote_ident(k.conname) || ' '
                    || pg_get_constraintdef(k.oid), pg_get_indexdef(i.indexrelid)) AS rebuild
    FROM pg_index i LEFT JOIN pg_constraint k ON k.conindid = i.indexrelid
    WHERE i.indrelid = ${table}::regclass
    ORDER BY i.indexrelid`.execute(tx);
  return rows;
}
