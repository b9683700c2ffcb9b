import { sql } from 'kysely';
import type { Warehouse } from '../schema/warehouse/connect.ts';

/** One delivery in a report. Counts that were never made are null: nobody read the rows. */
export interface DeliveryReport {
  readonly delivery_id: number;
  readonly feed: string;
  readonly department: string;
  readonly status: string;
  readonly reason: string | null;
  readonly received: number | null;
  readonly accepted: number | null;
  readonly rejected: number | null;
  readonly new: number | null;
  readonly changed: number | null;
  readonly unchanged: number | null;
  readonly removed: number | null;
  readonly ms: number | null;
}

/** The deliveries of a business date as the ledger has them: of each feed the last of the date. */
export async function deliveriesOf(
  warehouse: Warehouse,
  businessDate: string,
  feeds: readonly string[],
): Promise<DeliveryReport[]> {
  const { rows } = await sql<DeliveryReport>`
    SELECT DISTINCT ON (feed) delivery_id, feed, department, status, reason, received, accepted, rejected,
           new, changed, unchanged, removed, milliseconds AS ms
    FROM ops.delivery
    WHERE business_date = ${businessDate} AND feed = ANY (${feeds})
    ORDER BY feed, sequence DESC`.execute(warehouse.db);
  return rows;
}
