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
