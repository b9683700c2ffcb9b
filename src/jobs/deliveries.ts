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

/** The deliveries of a business date as the ledger has them: of each feed the last of the date, and before it all that were pushed. */
export async function deliveriesOf(
  warehouse: Warehouse,
  businessDate: string,
  feeds: readonly string[],
): Promise<DeliveryReport[]> {
  const { rows } = await sql<DeliveryReport>`
    SELECT delivery_id, feed, department, status, reason, received, accepted, rejected, new, changed, unchanged, removed,
           milliseconds AS ms
    FROM ops.delivery d
    WHERE business_date = ${businessDate} AND feed = ANY (${feeds})
      AND (EXISTS (SELECT FROM ops.push p WHERE p.delivery_id = d.delivery_id)
           OR NOT EXISTS (SELECT FROM ops.delivery later
                          WHERE later.feed = d.feed AND later.business_date = d.business_date
                            AND later.sequence > d.sequence))
    ORDER BY feed, sequence DESC`.execute(warehouse.db);
  return rows;
}
