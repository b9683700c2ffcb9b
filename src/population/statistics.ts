import { sql, type Transaction } from 'kysely';
import type { DB } from '../schema/database.ts';

/**
 * Tells the planner of what was written, when it was much: the server does it by itself only after the commit, and
 * until then takes a new table for an empty one, and joins row by row.
 *
 * @param table with its schema
 * @param written how many rows
 */
export async function refreshStatistics(tx: Transaction<DB>, table: string, written: number): Promise<void> {
  if (written === 0) return;
  const { rows } = await sql<{ is_much: boolean }>`
    SELECT ${written} > reltuples / 10 AS is_much FROM pg_class WHERE oid = ${table}::regclass`.execute(tx);
  if (rows[0]?.is_much) await sql`ANALYZE ${sql.table(table)}`.execute(tx);
}

/**
 * Tells the planner of the registers that grew or changed by much since the last picture: after a first load everything
 * that joins them would be planned for empty tables, here and in the rules, and may take hours.
 *
 * @param updatedAt ISO 8601; null before the first picture
 */
export async function refreshRegisters(
  tx: Transaction<DB>,
  { updatedAt }: { readonly updatedAt: string | null },
): Promise<void> {
  const { rows } = await sql<{ feed: string }>`
    SELECT d.feed
    FROM (SELECT feed, sum(new + changed + removed) AS written FROM ops.delivery
          WHERE status = 'applied' AND (${updatedAt}::timestamptz IS NULL OR applied_at > ${updatedAt}::timestamptz)
          GROUP BY feed) d
    JOIN pg_class c ON c.oid = ('registry.' || d.feed)::regclass
    WHERE d.written > greatest(c.reltuples, 0) / 10
    ORDER BY d.feed`.execute(tx);
  for (const { feed } of rows) await sql`ANALYZE ${sql.id('registry', feed)}`.execute(tx);
  if (rows.length > 0) await sql`ANALYZE identity.name_form`.execute(tx);
}
