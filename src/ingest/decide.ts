import { sql } from 'kysely';
import { PopshareError } from '../schema/errors.ts';
import type { DeliveryId } from '../schema/ids.ts';
import { recordAct } from '../schema/warehouse/audit.ts';
import type { Warehouse } from '../schema/warehouse/connect.ts';

export type Decision = 'release' | 'refuse' | 'replay';

/** In which states a delivery can be decided upon, and what it becomes. */
const TRANSITIONS: Record<
  Decision,
  { from: readonly string[]; to: 'landed' | 'refused'; released: boolean }
> = {
  release: { from: ['held'], to: 'landed', released: true },
  refuse: { from: ['held', 'failed'], to: 'refused', released: false },
  replay: { from: ['applied', 'unchanged', 'held', 'failed', 'refused'], to: 'landed', released: false },
};

/**
 * An officer's hand on a delivery: its state changes and the decision is kept with who, when and why. What
 * follows (reading and applying a released or replayed delivery) is the night's work.
 *
 * @returns the delivery's business date
 * @throws DELIVERY_UNKNOWN, DELIVERY_STATE
 */
export async function decideDelivery(
  warehouse: Warehouse,
  decision: { deliveryId: DeliveryId; decision: Decision; reason: string; decidedBy: string },
): Promise<{ businessDate: string }> {
  const { deliveryId, reason, decidedBy } = decision;
  const transition = TRANSITIONS[decision.decision];
  return warehouse.db.transaction().execute(async (tx) => {
    const { rows } = await sql<{
      status: string;
      business_date: string;
      landed_path: string | null;
      purged_on: string | null;
      readable: boolean;
    }>`
      SELECT status, business_date, landed_path, purged_on,
             NOT EXISTS (SELECT FROM ops.gate_finding f WHERE f.delivery_id = d.delivery_id AND f.holds
                         AND (f.evidence ? 'code' OR f.rule = 'FD03')) AS readable
      FROM ops.delivery d WHERE delivery_id = ${deliveryId} FOR UPDATE`.execute(tx);
    const delivery = rows[0];
    if (delivery === undefined)
      throw new PopshareError('DELIVERY_UNKNOWN', `there is no delivery ${deliveryId}`);
    if (
      !transition.from.includes(delivery.status) ||
      (transition.to === 'landed' && delivery.landed_path === null)
    ) {
      if (delivery.purged_on !== null && transition.from.includes(delivery.status))
        throw new PopshareError('DELIVERY_STATE', `the bytes of delivery ${deliveryId} have been purged`);
      throw new PopshareError(
        'DELIVERY_STATE',
        `delivery ${deliveryId} is ${delivery.status}; to ${decision.decision} it must be ${transition.from.join(' or ')}`,
      );
    }
    if (decision.decision === 'release' && !delivery.readable) {
      throw new PopshareError(
        'DELIVERY_STATE',
        `delivery ${deliveryId} cannot be read under its binding; mend the binding and replay it, or refuse it`,
      );
    }
    await sql`UPDATE ops.delivery SET status = ${transition.to}, released = ${transition.released}
              WHERE delivery_id = ${deliveryId}`.execute(tx);
    if (transition.to === 'refused') {
      await sql`UPDATE ops.delivery SET reason = ${reason} WHERE delivery_id = ${deliveryId}`.execute(tx);
    }
    await sql`INSERT INTO ops.delivery_decision (delivery_id, decision, reason, decided_by)
              VALUES (${deliveryId}, ${decision.decision}, ${reason}, ${decidedBy})`.execute(tx);
    await recordAct(tx, {
      actor: decidedBy,
      action: decision.decision,
      subject: `delivery ${deliveryId}`,
      purpose: reason,
      detail: { from: delivery.status, to: transition.to },
    });
    return { businessDate: delivery.business_date };
  });
}
