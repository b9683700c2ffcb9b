import { createHash } from 'node:crypto';
import { sql } from 'kysely';
import type { RunId } from '../schema/ids.ts';
import type { Warehouse } from '../schema/warehouse/connect.ts';
import { assertCurrentRun } from '../schema/warehouse/fence.ts';
import { assignPersons, recordPersonEvents, writeLinks } from './assign.ts';
import { chooseNodes, groupUnresolved } from './attach.ts';
import { findUnresolved, refreshBlockKeys } from './block-keys.ts';
import { closeOverBonds } from './closure.ts';
import { addMetNumbers, buildFirstScope, buildScope, labelClusters } from './clusters.ts';
import { addConflicts } from './conflicts.ts';
import { pairUp, weighEdges, weighNodes } from './evidence.ts';
import { findPlainNumbers, forgetPlainNumbers, isFirstLoad } from './first-load.ts';
import { noteStanding, recordLinkShares } from './link-share.ts';
import { findMeetings } from './meetings.ts';
import type { TrainedModel } from './model/weights.ts';
import { completeNameForms } from './name-forms.ts';
import { bringRelatives } from './relatives.ts';
import { bringReviews } from './reviews.ts';
import { gatherVerdicts } from './verdicts.ts';

/** How identity stands after a night. */
export interface IdentitySummary {
  readonly mentions: number;
  readonly persons: number;
  readonly links: Readonly<Record<string, number>>;
  readonly reviews: number;
  /** Of the last reconciliation that had something to do: block keys under which too many stood, rule by rule. */
  readonly crowded_keys: readonly CrowdedKeys[];
}

/** A row of identity.crowded_key. */
interface CrowdedKeys {
  readonly rule: string;
  readonly keys: number;
  readonly mentions: number;
  /** What was too large even after it was split by the sound of the name: nobody met there. */
  readonly left_out_keys: number;
  readonly left_out_mentions: number;
}

/** How far reconciliation had come, and by which model. */
interface Before {
  readonly reconciled_run: number;
  readonly model_weights: string | null;
  readonly model_blocking: string | null;
}

/**
 * Links every mention that changed since the last reconciliation, in one transaction. Run again, it finds
 * nothing to do and writes nothing. The first run with another model also weighs again what the model decides upon.
 *
 * @throws STALE_WORKER
 */
export async function reconcile(warehouse: Warehouse, runId: RunId, model: TrainedModel): Promise<void> {
  const before = await warehouse.db
    .selectFrom('identity.state')
    .select(['reconciled_run', 'model_weights', 'model_blocking'])
    .executeTakeFirstOrThrow();
  const digests = modelDigests(model);
  const isSameModel = before.model_weights === digests.weights && before.model_blocking === digests.blocking;
  if (isSameModel && !(await hasChanges(warehouse, before.reconciled_run))) return;
  // While names are computed here, the server does what needs none of them.
  const names = completeNameForms(warehouse, before.reconciled_run);
  const linked = linkChanged(warehouse, runId, model, before, names);
  // When one of them fails, the other is not left at work.
  await Promise.allSettled([names, linked]);
  await linked;
}

/** The transaction of {@link reconcile}. Its first steps read no name; for the others it waits until `names` are complete. */
async function linkChanged(
  warehouse: Warehouse,
  runId: RunId,
  model: TrainedModel,
  before: Before,
  names: Promise<void>,
): Promise<void> {
  const digests = modelDigests(model);
  // The server looks at a table by itself only a minute after it was filled.
  if (before.reconciled_run === 0) await sql`ANALYZE identity.mention`.execute(warehouse.db);
  await warehouse.db.transaction().execute(async (tx) => {
    await assertCurrentRun(tx, runId);
    // The first reconciliation hashes every mention; this is for this transaction alone.
    await sql`SET LOCAL work_mem = '256MB'`.execute(tx);
    // What it reads was mostly written tonight, or is read every night: it is in memory, and an index costs little.
    await sql`SET LOCAL seq_page_cost = 0.1`.execute(tx);
    await sql`SET LOCAL random_page_cost = 0.1`.execute(tx);
    // A row that a scan passes over costs more than the planner thinks, beside one that is looked up in memory: it would
    // read all mentions, or all links, for a night's hundred thousand.
    await sql`SET LOCAL cpu_tuple_cost = 0.1`.execute(tx);
    await gatherVerdicts(tx);
    const isFirst = await isFirstLoad(tx);
    if (isFirst) await findPlainNumbers(tx);
    await names;
    // Another blocking makes other keys of every mention; other weights, other patterns' weights.
    const afterRun = isAnother(before.model_blocking, digests.blocking) ? 0 : before.reconciled_run;
    if (isFirst) await buildFirstScope(tx);
    else await buildScope(tx, afterRun, isAnother(before.model_weights, digests.weights));
    await noteStanding(tx, isFirst);
    await labelClusters(tx);
    await refreshBlockKeys(tx, model, isFirst);
    await bringRelatives(tx, isFirst);
    await findUnresolved(tx);
    await findMeetings(tx, model);
    if (!isFirst) await closeOverBonds(tx, model);
    await pairUp(tx, model, runId);
    if (isFirst) await addMetNumbers(tx);
    await weighNodes(tx, model);
    await weighEdges(tx, model);
    await groupUnresolved(tx, model);
    await chooseNodes(tx, model);
    await addConflicts(tx, model, isFirst);
    await assignPersons(tx, runId, isFirst);
    await recordPersonEvents(tx, runId, isFirst);
    await writeLinks(tx, runId, model.version, isFirst);
    if (isFirst) await forgetPlainNumbers(tx);
    await bringReviews(tx, runId);
    // Where only the model is another, nothing was reconciled that a later night would not see again.
    await sql`
      UPDATE identity.state
      SET reconciled_run = CASE WHEN EXISTS (SELECT FROM come_and_gone) OR EXISTS (SELECT FROM changed) THEN ${runId} ELSE reconciled_run END,
          model_weights = ${digests.weights}, model_blocking = ${digests.blocking}`.execute(tx);
    await recordLinkShares(tx, runId);
  });
}

/** Whether a mention changed after a run. */
async function hasChanges(warehouse: Warehouse, afterRun: number): Promise<boolean> {
  const { rows } = await sql`
    SELECT FROM identity.mention WHERE changed_run > ${afterRun} LIMIT 1`.execute(warehouse.db);
  return rows.length > 0;
}

/** What tells one model from another: the parts that decide which pairs meet, and what their patterns weigh. */
function modelDigests({ blocking, block_limit, ...rest }: TrainedModel): {
  blocking: string;
  weights: string;
} {
  const { comparisons, cannot_link, thresholds, prior } = rest;
  return {
    blocking: digestOf({ blocking, block_limit }),
    weights: digestOf({ comparisons, cannot_link, thresholds, prior }),
  };
}

function digestOf(part: object): string {
  return createHash('sha256').update(JSON.stringify(part)).digest('hex');
}

/** Whether a model took the place of another. Before the first reconciliation there was none. */
function isAnother(before: string | null, now: string): boolean {
  return before !== null && before !== now;
}

/** Counts over the mentions that stood at the last reconciliation, for the night's report. */
export async function identitySummary(warehouse: Warehouse): Promise<IdentitySummary> {
  const { rows } = await sql<{ method: string; mentions: number }>`
    SELECT method, count(*) AS mentions FROM identity.link WHERE stands GROUP BY method ORDER BY method`.execute(
    warehouse.db,
  );
  const persons = await sql<{ persons: number }>`
    SELECT count(*) AS persons FROM (SELECT DISTINCT person_id FROM identity.link WHERE stands) p`.execute(
    warehouse.db,
  );
  const reviews = await sql<{ reviews: number }>`
    SELECT count(*) AS reviews FROM identity.review WHERE status = 'open'`.execute(warehouse.db);
  const crowded = await sql<CrowdedKeys>`
    SELECT rule, keys, mentions, left_out_keys, left_out_mentions
    FROM identity.crowded_key JOIN identity.state ON reconciled_run = run_id ORDER BY rule`.execute(
    warehouse.db,
  );
  return {
    mentions: rows.reduce((sum, { mentions }) => sum + mentions, 0),
    persons: persons.rows[0]?.persons ?? 0,
    links: Object.fromEntries(rows.map(({ method, mentions }) => [method, mentions])),
    reviews: reviews.rows[0]?.reviews ?? 0,
    crowded_keys: crowded.rows,
  };
}
