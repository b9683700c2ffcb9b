import type { Transaction } from 'kysely';
import { liftDecision, type NewDecision, recordDecision } from '../identity/decisions.ts';
import type { TrainedModel } from '../identity/model/weights.ts';
import { reconcile } from '../identity/reconcile.ts';
import { weighReviews } from '../identity/review-worth.ts';
import { asCurrentRun } from '../ingest/current-run.ts';
import type { DB } from '../schema/database.ts';
import { PopshareError } from '../schema/errors.ts';
import type { RunId } from '../schema/ids.ts';
import { recordAct } from '../schema/warehouse/audit.ts';
import type { Warehouse } from '../schema/warehouse/connect.ts';
import { today } from '../schema/warehouse/today.ts';
import { openRun, step } from './run.ts';

/**
 * Decides upon two mentions, and brings it in force at once.
 *
 * @returns the id of the decision
 * @throws RUN_IN_PROGRESS, MENTION_UNKNOWN, DECISION_CONFLICT, STALE_WORKER
 */
export async function decide(
  warehouse: Warehouse,
  model: TrainedModel,
  decision: NewDecision,
): Promise<number> {
  return inRun(warehouse, model, async (tx, runId) => {
    const decisionId = await recordDecision(tx, runId, decision);
    await recordAct(tx, {
      actor: decision.decidedBy,
      action: 'decide',
      subject: `decision ${decisionId}`,
      purpose: decision.reason,
      detail: { verdict: decision.verdict, mentions: decision.mentions },
    });
    return decisionId;
  });
}

/**
 * Lifts a decision, and brings that in force at once.
 *
 * @throws RUN_IN_PROGRESS, DECISION_UNKNOWN, STALE_WORKER
 */
export async function lift(
  warehouse: Warehouse,
  model: TrainedModel,
  lifting: { readonly decisionId: number; readonly reason: string; readonly liftedBy: string },
): Promise<void> {
  await inRun(warehouse, model, async (tx, runId) => {
    await liftDecision(tx, runId, lifting);
    await recordAct(tx, {
      actor: lifting.liftedBy,
      action: 'lift',
      subject: `decision ${lifting.decisionId}`,
      purpose: lifting.reason,
    });
  });
}

/**
 * A run of its own, of today. Once the decision is committed it cannot be lost: should the reconciliation fail, the
 * next run does it.
 */
async function inRun<Result>(
  warehouse: Warehouse,
  model: TrainedModel,
  record: (tx: Transaction<DB>, runId: RunId) => Promise<Result>,
): Promise<Result> {
  const run = await openRun(warehouse, await today(warehouse), 'decision');
  try {
    const result = await warehouse.db.transaction().execute((tx) => record(tx, run.runId));
    await step(warehouse, run.runId, 'identity', '', () => reconcile(warehouse, run.runId, model));
    await asCurrentRun({ warehouse, runId: run.runId }, weighReviews);
    await run.close('done', null);
    return result;
  } catch (error) {
    const code = error instanceof PopshareError ? error.code : 'UNEXPECTED';
    await run.close('failed', { error: code }).catch(() => run.abandon());
    throw error;
  }
}
