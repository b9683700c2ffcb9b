import { sql } from 'kysely';
import type { Queryable } from './connect.ts';

/** The day it is in China, YYYY-MM-DD, by the warehouse's clock. */
export async function today(warehouse: Queryable): Promise<string> {
  const { rows } = await sql<{ today: string }>`
    SELECT (now() AT TIME ZONE 'Asia/Shanghai')::date AS today`.execute(warehouse.db);
  return rows[0]?.today ?? '';
}
