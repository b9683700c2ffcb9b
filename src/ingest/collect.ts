import { sql } from 'kysely';
import { fileDrop } from '../connectors/file-drop.ts';
import type { Binding } from '../schema/configuration/binding.ts';
import { type DeliveryId, toDeliveryId } from '../schema/ids.ts';
import { asCurrentRun } from './current-run.ts';
import type { RunContext } from './delivery.ts';
import { landArrival } from './land.ts';
import { landPushed } from './push/land-pushed.ts';

/**
 * Lands what was pushed of a feed, then looks for its file of the business date and lands it: the file, which is made
 * last, has the last word.
 *
 * After: the ledger has the deliveries, or says `missing` when there is none.
 */
export async function collect(context: RunContext, binding: Binding, dropFolder: string): Promise<void> {
  const { feed, department } = binding.contract;
  await landPushed(context, binding);
  const finding = await fileDrop(dropFolder).find(
    { feed, department, extensions: [binding.format], control: binding.control },
    context.businessDate,
  );
  if (finding.kind === 'ready') {
    await landArrival(context, finding.arrival, department);
  } else {
    const reason = finding.kind === 'absent' ? `没有文件 ${finding.looked_for}` : finding.reason;
    await recordMissing(context, binding, `FD01 未按时报送：${reason}`);
  }
}

/** A date without any delivery of the feed gets a row that says so; one that has deliveries keeps them. */
async function recordMissing(context: RunContext, binding: Binding, reason: string): Promise<void> {
  await asCurrentRun(context, (tx) =>
    sql`
      INSERT INTO ops.delivery (feed, department, business_date, sequence, run_id, status, reason)
      SELECT ${binding.feed}, ${binding.contract.department}, ${context.businessDate}, 1, ${context.runId}, 'missing', ${reason}
      WHERE NOT EXISTS (SELECT FROM ops.delivery WHERE feed = ${binding.feed} AND business_date = ${context.businessDate})`.execute(
      tx,
    ),
  );
}

/**
 * The deliveries that wait for a fate: those of the date that landed, or failed on our side, and earlier ones that an
 * officer has released or replayed while no run could take them up.
 */
export async function openDeliveries(context: RunContext, feed: string): Promise<DeliveryId[]> {
  const { rows } = await sql<{ delivery_id: number }>`
    SELECT delivery_id FROM ops.delivery d
    WHERE feed = ${feed} AND CASE
      WHEN business_date = ${context.businessDate}::date THEN status IN ('landed', 'failed')
      ELSE business_date < ${context.businessDate}::date AND status = 'landed'
           AND EXISTS (SELECT FROM ops.delivery_decision c WHERE c.delivery_id = d.delivery_id
                         AND c.decision IN ('release', 'replay')) END
    ORDER BY business_date, sequence`.execute(context.warehouse.db);
  return rows.map(({ delivery_id }) => toDeliveryId(delivery_id));
}
