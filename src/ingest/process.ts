import { sql, type Transaction } from 'kysely';
import type { Binding } from '../schema/configuration/binding.ts';
import type { DB } from '../schema/database.ts';
import { type ErrorCode, PopshareError } from '../schema/errors.ts';
import { isConnectionLost, messageWithoutValues } from '../schema/failure.ts';
import type { DeliveryId } from '../schema/ids.ts';
import { applyDelivery } from './apply.ts';
import { asCurrentRun } from './current-run.ts';
import type { LandedDelivery, RunContext } from './delivery.ts';
import { type GateFinding, gateFindings } from './gates.ts';
import { dropStage, type Staged, stageDelivery } from './stage.ts';

/** What the feed's registry stands at. */
interface FeedState {
  readonly delivery_id: number;
  readonly business_date: string;
  readonly sha256: string;
  readonly received: number;
  /** False when the delivery applied last came after one of a later business date. */
  readonly in_order: boolean;
}

/** Errors that speak of the bytes, not of the house: the delivery is held, the night goes on. */
const UNREADABLE: Partial<Record<ErrorCode, GateFinding['rule']>> = {
  SOURCE_EMPTY: 'FD03',
  SOURCE_FORMAT: 'FD03',
  SOURCE_TOO_LARGE: 'FD03',
  SOURCE_ENCODING: 'FD07',
};

/**
 * Takes one landed delivery to its fate: applied, unchanged, held or failed. Safe to repeat at any point: what
 * was committed is found done, what was not is done anew from the landed bytes.
 *
 * @throws STALE_WORKER, and the loss of the connection; every other failure ends as the delivery’s status
 */
export async function processDelivery(context: RunContext, deliveryId: DeliveryId): Promise<void> {
  const started = performance.now();
  const { delivery, binding } = await readDelivery(context, deliveryId);
  try {
    await decideFate(context, delivery, binding);
  } catch (error) {
    if (error instanceof PopshareError && error.code === 'STALE_WORKER') throw error;
    // The run has lost its hold on the warehouse too: it ends, and the next one finds the delivery as it was.
    if (isConnectionLost(error)) throw error;
    await fail(context, delivery, error);
  }
  await asCurrentRun(context, (tx) =>
    sql`
      UPDATE ops.delivery SET milliseconds = ${Math.round(performance.now() - started)}, run_id = ${context.runId}
      WHERE delivery_id = ${deliveryId}`.execute(tx),
  );
}

async function decideFate(context: RunContext, delivery: LandedDelivery, binding: Binding): Promise<void> {
  const last = await feedState(context, delivery.feed);
  if (last !== null && delivery.isReplay && isOvertaken(delivery, binding, last))
    return leaveAsItWas(context, delivery, last);
  if (last !== null && isSameAsLast(delivery, last)) return repeatLast(context, delivery, last);

  let staged: Staged;
  try {
    staged = await stageDelivery(context, delivery, binding);
  } catch (error) {
    const rule = error instanceof PopshareError ? UNREADABLE[error.code] : undefined;
    if (!(error instanceof PopshareError) || rule === undefined) throw error;
    const finding = {
      rule,
      holds: true,
      message: `无法读取：${error.message}`,
      evidence: { code: error.code },
    };
    return hold(context, delivery, [finding], null);
  }

  const findings = gateFindings(delivery, binding, staged, last, context.configuration.settings.gates);
  const missingRequired = staged.headerCheck.missing.length > 0;
  if (findings.some(({ holds }) => holds) && (!delivery.released || missingRequired)) {
    return hold(context, delivery, findings, staged);
  }
  const repeated = await repeatedBytes(context, delivery, staged.received);
  await asCurrentRun(context, async (tx) => {
    await recordFindings(tx, delivery, [...findings, ...repeated]);
    await recordReading(tx, delivery, staged);
  });
  if (last !== null && isOvertaken(delivery, binding, last)) {
    return keepLateSnapshot(context, delivery, last);
  }
  await applyDelivery(context, delivery, binding, staged);
}

/**
 * The same bytes as those the registry stands at, and the control file agrees: there is nothing to do. Not when a
 * late delivery was applied last: then rows of the one before it may have to win again.
 */
function isSameAsLast(delivery: LandedDelivery, last: FeedState): boolean {
  const { control } = delivery;
  const controlAgrees =
    control === null || (control.sha256.toLowerCase() === delivery.sha256 && control.rows === last.received);
  const sameBytes = delivery.sha256 === last.sha256 && last.delivery_id !== delivery.deliveryId;
  return sameBytes && last.in_order && controlAgrees;
}

/** FD04: takes the counts of the delivery with the same bytes; every row of it is unchanged. */
async function repeatLast(context: RunContext, delivery: LandedDelivery, last: FeedState): Promise<void> {
  const repeated = await repeatedBytes(context, delivery, last.received);
  await asCurrentRun(context, async (tx) => {
    await recordFindings(tx, delivery, repeated);
    await sql`
      UPDATE ops.delivery d SET status = 'unchanged', reason = '与上一批次内容完全相同', applied_at = now(),
             encoding = same.encoding, header = same.header, received = same.received, accepted = same.accepted,
             rejected = same.rejected, new = 0, changed = 0, unchanged = same.accepted, removed = 0
      FROM ops.delivery same
      WHERE d.delivery_id = ${delivery.deliveryId} AND same.delivery_id = ${last.delivery_id}`.execute(tx);
    await sql`
      UPDATE ops.feed_state SET delivery_id = ${delivery.deliveryId}, business_date = ${delivery.businessDate}
      WHERE feed = ${delivery.feed} AND business_date <= ${delivery.businessDate}`.execute(tx);
  });
}

/** FD04 重复报送: an earlier delivery of the feed had the same bytes. Files without rows are all alike and do not count. */
async function repeatedBytes(
  context: RunContext,
  delivery: LandedDelivery,
  received: number,
): Promise<GateFinding[]> {
  if (received === 0) return [];
  const { rows } = await sql<{ delivery_id: number; business_date: string }>`
    SELECT delivery_id, business_date FROM ops.delivery
    WHERE feed = ${delivery.feed} AND sha256 = ${delivery.sha256} AND delivery_id < ${delivery.deliveryId}
    ORDER BY delivery_id DESC LIMIT 1`.execute(context.warehouse.db);
  return rows.map((earlier) => ({
    rule: 'FD04',
    holds: false,
    message: `重复报送：与 ${earlier.business_date} 的批次字节相同`,
    evidence: { same_as_delivery: earlier.delivery_id, business_date: earlier.business_date },
  }));
}

/** A snapshot of an earlier day than the one that stands. */
function isOvertaken(delivery: LandedDelivery, binding: Binding, last: FeedState): boolean {
  return binding.contract.mode === 'snapshot' && last.business_date > delivery.businessDate;
}

/** A snapshot that stood once: what it did then stays in the ledger. */
async function leaveAsItWas(context: RunContext, delivery: LandedDelivery, last: FeedState): Promise<void> {
  await asCurrentRun(context, (tx) =>
    sql`
      UPDATE ops.delivery SET status = CASE WHEN new + changed + removed > 0 THEN 'applied' ELSE 'unchanged' END,
             reason = ${`重放：${last.business_date} 的全量批次已应用，登记簿不变`}
      WHERE delivery_id = ${delivery.deliveryId}`.execute(tx),
  );
}

/** Kept in the ledger, not in the registry: a newer snapshot stands, which answers for the rows refused here too. */
async function keepLateSnapshot(
  context: RunContext,
  delivery: LandedDelivery,
  last: FeedState,
): Promise<void> {
  await asCurrentRun(context, async (tx) => {
    await dropStage(tx, delivery);
    await sql`
      UPDATE ops.delivery SET status = 'unchanged', applied_at = now(), new = 0, changed = 0, removed = 0,
             unchanged = accepted, reason = ${`${last.business_date} 的全量批次已先应用，登记簿不变`}
      WHERE delivery_id = ${delivery.deliveryId}`.execute(tx);
    await sql`
      UPDATE ops.rejected_row SET mended_by = ${last.delivery_id}
      WHERE delivery_id = ${delivery.deliveryId}`.execute(tx);
  });
}

async function hold(
  context: RunContext,
  delivery: LandedDelivery,
  findings: readonly GateFinding[],
  staged: Staged | null,
): Promise<void> {
  const reason = findings
    .filter(({ holds }) => holds)
    .map(({ rule, message }) => `${rule} ${message}`)
    .join('；');
  await asCurrentRun(context, async (tx) => {
    await dropStage(tx, delivery);
    await recordFindings(tx, delivery, findings);
    if (staged !== null) await recordReading(tx, delivery, staged);
    await sql`
      UPDATE ops.delivery SET status = 'held', released = false, reason = ${reason}
      WHERE delivery_id = ${delivery.deliveryId}`.execute(tx);
  });
}

/** What reading showed, whatever becomes of the delivery. */
async function recordReading(tx: Transaction<DB>, delivery: LandedDelivery, staged: Staged): Promise<void> {
  const wasJudged = staged.headerCheck.missing.length === 0;
  await sql`
    UPDATE ops.delivery SET encoding = ${staged.encoding}, header = ${JSON.stringify(staged.header)}::jsonb,
           received = ${staged.received}, accepted = ${wasJudged ? staged.accepted : null},
           rejected = ${wasJudged ? staged.rejected : null}
    WHERE delivery_id = ${delivery.deliveryId}`.execute(tx);
}

async function recordFindings(
  tx: Transaction<DB>,
  delivery: LandedDelivery,
  findings: readonly GateFinding[],
): Promise<void> {
  await sql`DELETE FROM ops.gate_finding WHERE delivery_id = ${delivery.deliveryId}`.execute(tx);
  for (const { rule, holds, message, evidence } of findings) {
    await sql`
      INSERT INTO ops.gate_finding (delivery_id, rule, holds, message, evidence)
      VALUES (${delivery.deliveryId}, ${rule}, ${holds}, ${message}, ${JSON.stringify(evidence)}::jsonb)`.execute(
      tx,
    );
  }
}

/** The delivery failed on our side: said in the ledger, tried again by the next run of its date. */
async function fail(context: RunContext, delivery: LandedDelivery, error: unknown): Promise<void> {
  const code = error instanceof PopshareError ? error.code : 'UNEXPECTED';
  const message = messageWithoutValues(error);
  await asCurrentRun(context, (tx) =>
    sql`
      UPDATE ops.delivery SET status = 'failed', reason = ${`${code}: ${message}`}
      WHERE delivery_id = ${delivery.deliveryId}`.execute(tx),
  );
}

async function feedState(context: RunContext, feed: string): Promise<FeedState | null> {
  const { rows } = await sql<FeedState>`
    SELECT s.delivery_id, s.business_date, s.sha256, s.received, d.business_date = s.business_date AS in_order
    FROM ops.feed_state s JOIN ops.delivery d USING (delivery_id)
    WHERE s.feed = ${feed}`.execute(context.warehouse.db);
  return rows[0] ?? null;
}

async function readDelivery(
  context: RunContext,
  deliveryId: DeliveryId,
): Promise<{ delivery: LandedDelivery; binding: Binding }> {
  const { rows } = await sql<{
    feed: string;
    business_date: string;
    landed_path: string;
    sha256: string;
    control: { rows: number; sha256: string } | null;
    released: boolean;
    is_replay: boolean;
  }>`
    SELECT feed, business_date, landed_path, sha256, control, released, applied_at IS NOT NULL AS is_replay
    FROM ops.delivery WHERE delivery_id = ${deliveryId} AND landed_path IS NOT NULL`.execute(
    context.warehouse.db,
  );
  const row = rows[0];
  if (row === undefined)
    throw new PopshareError(
      'DELIVERY_UNKNOWN',
      `there is no delivery ${deliveryId} with bytes in the ledger`,
    );
  const binding = context.configuration.bindings.find(({ feed }) => feed === row.feed);
  if (binding === undefined) throw new PopshareError('FEED_UNKNOWN', `no binding for feed ${row.feed}`);
  const delivery: LandedDelivery = {
    deliveryId,
    feed: row.feed,
    businessDate: row.business_date,
    landedPath: row.landed_path,
    sha256: row.sha256,
    control: row.control,
    released: row.released,
    isReplay: row.is_replay,
  };
  return { delivery, binding };
}
