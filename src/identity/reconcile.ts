import { sql } from 'kysely';
import type { RunId } from '../schema/ids.ts';
import type { Warehouse } from '../schema/warehouse/connect.ts';
import { assertCurrentRun } from '../schema/warehouse/fence.ts';
import { assignPersons, recordPersonEvents, writeLinks } from './assign.ts';
import { chooseNodes, groupUnresolved } from './attach.ts';
import { findUnresolved, refreshBlockKeys } from './block-keys.ts';
import { closeOverBonds } from './closure.ts';
import { buildScope, labelClusters } from './clusters.ts';
import { pairUp, weighEdges, weighNodes } from './evidence.ts';
import { recordLinkShares } from './link-share.ts';
import type { TrainedModel } from './model/weights.ts';
import { completeNameForms } from './name-forms.ts';
import { bringReviews } from './reviews.ts';
import { gatherVerdicts } from './verdicts.ts';

/** How identity stands after a night. */
export interface IdentitySummary {
  readonly mentions: number;
  readonly persons: number;
  readonly links: Readonly<Record<string, number>>;
  readonly reviews: number;
}

/**
 * Links every mention that changed since the last reconciliation, in one transaction. Run again, it finds
 * nothing to do and writes nothing.
 *
 * @throws STALE_WORKER
 */
export async function reconcile(warehouse: Warehouse, runId: RunId, model: TrainedModel): Promise<void> {
  const { reconciled_run } = await warehouse.db
    .selectFrom('identity.state')
    .select('reconciled_run')
    .executeTakeFirstOrThrow();
  await completeNameForms(warehouse, reconciled_run);
  await warehouse.db.transaction().execute(async (tx) => {
    await assertCurrentRun(tx, runId);
    // The first reconciliation hashes every mention; this is for this transaction alone.
    await sql`SET LOCAL work_mem = '256MB'`.execute(tx);
    await gatherVerdicts(tx);
    await buildScope(tx, reconciled_run);
    await labelClusters(tx);
    await refreshBlockKeys(tx, model);
    await findUnresolved(tx);
    await closeOverBonds(tx, model);
    await pairUp(tx, model);
    await weighNodes(tx, model);
    await weighEdges(tx, model);
    await groupUnresolved(tx, model);
    await chooseNodes(tx, model);
    await assignPersons(tx, runId);
    await recordPersonEvents(tx, runId);
    await writeLinks(tx, runId, model.version);
    await bringReviews(tx, runId);
    // Only as far as there was something: a night that changed nothing leaves this row as it is.
    await sql`
      UPDATE identity.state SET reconciled_run = ${runId}
      WHERE EXISTS (SELECT FROM changed)`.execute(tx);
    await recordLinkShares(tx, runId);
  });
}

/** Counts over the active mentions, for the night's report. */
export async function identitySummary(warehouse: Warehouse): Promise<IdentitySummary> {
  const { rows } = await sql<{ method: string; mentions: number }>`
    SELECT l.method, count(*) AS mentions
    FROM identity.mention m JOIN identity.link l USING (mention_id)
    WHERE m.active GROUP BY l.method ORDER BY l.method`.execute(warehouse.db);
  const persons = await sql<{ persons: number }>`
    SELECT count(DISTINCT l.person_id) AS persons
    FROM identity.mention m JOIN identity.link l USING (mention_id) WHERE m.active`.execute(warehouse.db);
  const reviews = await sql<{ reviews: number }>`
    SELECT count(*) AS reviews FROM identity.review WHERE status = 'open'`.execute(warehouse.db);
  return {
    mentions: rows.reduce((sum, { mentions }) => sum + mentions, 0),
    persons: persons.rows[0]?.persons ?? 0,
    links: Object.fromEntries(rows.map(({ method, mentions }) => [method, mentions])),
    reviews: reviews.rows[0]?.reviews ?? 0,
  };
}
