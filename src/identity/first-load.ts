import { type RawBuilder, sql, type Transaction } from 'kysely';
import type { DB } from '../schema/database.ts';

/**
 * Whether nothing is linked yet, and no human has decided anything. Then every active mention has changed, and no
 * stored key, link, person or event needs to be compared with.
 */
export async function isFirstLoad(tx: Transaction<DB>): Promise<boolean> {
  const { rows } = await sql<{ first: boolean }>`
    SELECT NOT EXISTS (SELECT FROM identity.link) AND NOT EXISTS (SELECT FROM identity.person)
       AND NOT EXISTS (SELECT FROM identity.decision) AS first`.execute(tx);
  return rows[0]?.first ?? false;
}

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

/**
 * Finds the numbers that leave nothing to decide: those whose mentions all have one name, or none, and whose area once
 * was. All mentions of such a number are one person; of a whole county they are nearly all, and need not be looked at
 * one by one.
 *
 * After: table identity.plain_number has each of them with the mention that its block keys stand under (`lead`, the
 * first with a name), its first mention, its first one with a name and a birth date (`complete`), and whether several
 * birth dates are given. It is no temporary table, because only others are read by several processes at once;
 * {@link forgetPlainNumbers} takes it away.
 */
export async function findPlainNumbers(tx: Transaction<DB>): Promise<void> {
  await sharedOut(
    tx,
    '1MB',
    sql`
    CREATE UNLOGGED TABLE identity.plain_number AS
    SELECT id_number, coalesce(min(mention_id) FILTER (WHERE name IS NOT NULL), min(mention_id)) AS lead,
           min(mention_id) AS oldest,
           min(mention_id) FILTER (WHERE name IS NOT NULL AND birth_date IS NOT NULL) AS complete,
           coalesce(min(birth_date) <> max(birth_date), false) AS births_differ
    FROM identity.mention WHERE active AND id_number IS NOT NULL
    GROUP BY id_number
    HAVING (count(name) = 0 OR min(name COLLATE "C") = max(name COLLATE "C"))
       AND (length(id_number) < 18 OR left(id_number, 6) IN (SELECT code FROM reference.area_code))`,
  );
  await sql`ANALYZE identity.plain_number`.execute(tx);
}

/** What {@link findPlainNumbers} made is of use until the links are written. */
export async function forgetPlainNumbers(tx: Transaction<DB>): Promise<void> {
  await sql`DROP TABLE identity.plain_number`.execute(tx);
}

/**
 * Fills an empty table without its indexes and builds them afterwards, each by one sort: what is scattered over an
 * index costs several times as much row by row. Whoever reads the table waits until the transaction ends.
 *
 * @param table in the schema identity
 */
export async function loadUnindexed(
  tx: Transaction<DB>,
  table: 'link' | 'person' | 'person_event',
  load: () => Promise<void>,
): Promise<void> {
  const indexes = await indexesOf(tx, table);
  for (const { drop } of indexes) await sql.raw(drop).execute(tx);
  // What a transaction truncates it need not log row by row, if the server keeps no log for others.
  await sql`TRUNCATE ${sql.id('identity', table)}`.execute(tx);
  await load();
  for (const { rebuild } of indexes) await sql.raw(rebuild).execute(tx);
  await sql`ANALYZE ${sql.id('identity', table)}`.execute(tx);
}

/** The statements that take the indexes and keys of a table away, and that build them again. */
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
    WHERE i.indrelid = ${`identity.${table}`}::regclass
    ORDER BY i.indexrelid`.execute(tx);
  return rows;
}
