import { sql, type Transaction } from 'kysely';
import type { DB } from '../schema/database.ts';
import { sharedOut } from '../schema/warehouse/bulk.ts';

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
