import { sql, type Transaction } from 'kysely';
import type { DB } from '../schema/database.ts';

/**
 * Tells the planner of what was written, when it was much: the server does it by itself only after the commit, and
 * until then takes a new table for an empty one, and joins row by row.
 *
 * @param table in schema population
 * @param written how many rows
 */
export async function refreshStatistics(
  tx: Transaction<DB>,
  table: 'person' | 'dwelling' | 'dwelling_person' | 'household_member' | 'relation',
  written: number,
): Promise<void> {
  const name = sql.id('population', table);
  const { rows } = await sql<{ is_much: boolean }>`
    SELECT ${written} > reltuples / 10 AS is_much FROM pg_class WHERE oid = ${`population.${table}`}::regclass`.execute(
    tx,
  );
  if (written > 0 && rows[0]?.is_much) await sql`ANALYZE ${name}`.execute(tx);
}
