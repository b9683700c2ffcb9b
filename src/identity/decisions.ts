import { sql, type Transaction } from 'kysely';
import type { DB } from '../schema/database.ts';
import { PopshareError } from '../schema/errors.ts';
import type { RunId } from '../schema/ids.ts';
import { assertCurrentRun } from '../schema/warehouse/fence.ts';

export type Verdict = 'same' | 'different';

/** A human's word on two mentions. */
export interface NewDecision {
  readonly verdict: Verdict;
  /** Two mentions, in any order. */
  readonly mentions: readonly [number, number];
  readonly reason: string;
  readonly decidedBy: string;
}

/**
 * Writes a decision down and marks its mentions as changed, so that the reconciliation of this run brings it in
 * force. A decision on the same two mentions that said the contrary must be lifted before.
 *
 * @returns the id of the decision; when the same was decided before, that of then
 * @throws MENTION_UNKNOWN; DECISION_CONFLICT when decisions in force say the contrary; STALE_WORKER
 */
export async function recordDecision(
  tx: Transaction<DB>,
  runId: RunId,
  decision: NewDecision,
): Promise<number> {
  await assertCurrentRun(tx, runId);
  const left = Math.min(...decision.mentions);
  const right = Math.max(...decision.mentions);
  await requireMentions(tx, left, right);
  const standing = await sql<{ decision_id: number }>`
    SELECT decision_id FROM identity.decision
    WHERE left_mention = ${left} AND right_mention = ${right} AND lifted_at IS NULL AND verdict = ${decision.verdict}`.execute(
    tx,
  );
  if (standing.rows[0] !== undefined) return standing.rows[0].decision_id;
  await requireNoConflict(tx, left, right, decision.verdict);
  const { rows } = await sql<{ decision_id: number }>`
    INSERT INTO identity.decision (verdict, left_mention, right_mention, reason, decided_by)
    VALUES (${decision.verdict}, ${left}, ${right}, ${decision.reason}, ${decision.decidedBy})
    RETURNING decision_id`.execute(tx);
  await sql`
    UPDATE identity.review SET status = ${decision.verdict === 'same' ? 'linked' : 'separated'}, closed_at = now()
    WHERE left_mention = ${left} AND right_mention = ${right}`.execute(tx);
  await markChanged(tx, runId, left, right);
  return rows[0]?.decision_id ?? 0;
}

/**
 * Lifts a decision: from the reconciliation of this run on, the evidence alone speaks. A review of its mentions may
 * open again.
 *
 * @throws DECISION_UNKNOWN when there is none of this id in force; STALE_WORKER
 */
export async function liftDecision(
  tx: Transaction<DB>,
  runId: RunId,
  lift: { readonly decisionId: number; readonly reason: string; readonly liftedBy: string },
): Promise<void> {
  await assertCurrentRun(tx, runId);
  const { rows } = await sql<{ left_mention: number; right_mention: number }>`
    UPDATE identity.decision
    SET lifted_by = ${lift.liftedBy}, lifted_reason = ${lift.reason}, lifted_at = now()
    WHERE decision_id = ${lift.decisionId} AND lifted_at IS NULL
    RETURNING left_mention, right_mention`.execute(tx);
  const lifted = rows[0];
  if (lifted === undefined)
    throw new PopshareError('DECISION_UNKNOWN', `there is no decision ${lift.decisionId} in force`);
  await sql`
    UPDATE identity.review SET status = 'withdrawn', closed_at = now()
    WHERE left_mention = ${lifted.left_mention} AND right_mention = ${lifted.right_mention}`.execute(tx);
  await markChanged(tx, runId, lifted.left_mention, lifted.right_mention);
}

/** @throws MENTION_UNKNOWN */
async function requireMentions(tx: Transaction<DB>, left: number, right: number): Promise<void> {
  const { rows } = await sql`
    SELECT FROM identity.mention WHERE mention_id IN (${left}, ${right}) AND active`.execute(tx);
  if (left === right) throw new PopshareError('MENTION_UNKNOWN', 'a decision needs two mentions');
  if (rows.length < 2)
    throw new PopshareError('MENTION_UNKNOWN', 'a mention of the pair does not stand any more');
}

/**
 * What is the same is the same as all that is the same as it; none of these may be set apart from another.
 *
 * @throws DECISION_CONFLICT naming a decision in force
 */
async function requireNoConflict(
  tx: Transaction<DB>,
  left: number,
  right: number,
  verdict: Verdict,
): Promise<void> {
  const { rows } = await sql<{ decision_id: number }>`
    WITH RECURSIVE in_force AS (SELECT * FROM identity.decision WHERE lifted_at IS NULL),
    reached (start, mention_id) AS (
      SELECT start, start FROM unnest(ARRAY[${left}, ${right}]::bigint[]) AS start
      UNION
      SELECT r.start, CASE WHEN d.left_mention = r.mention_id THEN d.right_mention ELSE d.left_mention END
      FROM reached r JOIN in_force d ON d.verdict = 'same' AND r.mention_id IN (d.left_mention, d.right_mention))
    SELECT d.decision_id
    FROM reached l JOIN reached r ON l.start = ${left} AND r.start = ${right}
    JOIN in_force d ON d.verdict <> ${verdict}
      AND CASE d.verdict
            WHEN 'different' THEN (d.left_mention, d.right_mention) IN ((l.mention_id, r.mention_id), (r.mention_id, l.mention_id))
            ELSE l.mention_id = r.mention_id AND l.mention_id IN (d.left_mention, d.right_mention) END
    ORDER BY d.decision_id DESC LIMIT 1`.execute(tx);
  const conflict = rows[0];
  if (conflict !== undefined)
    throw new PopshareError(
      'DECISION_CONFLICT',
      `decision ${conflict.decision_id} in force says the contrary`,
    );
}

async function markChanged(tx: Transaction<DB>, runId: RunId, left: number, right: number): Promise<void> {
  await sql`UPDATE identity.mention SET changed_run = ${runId} WHERE mention_id IN (${left}, ${right})`.execute(
    tx,
  );
}
