import { sql, type Transaction } from 'kysely';
import type { DB } from '../../schema/database.ts';
import { PopshareError } from '../../schema/errors.ts';
import type { Warehouse } from '../../schema/warehouse/connect.ts';
import { reconcile } from '../reconcile.ts';
import type { Model } from './model-file.ts';
import { tryOut } from './trial.ts';
import type { TrainedModel } from './weights.ts';

/** One mention by its record, without personal values. */
interface RecordName {
  readonly feed: string;
  readonly source_key: string;
  readonly role: string;
}

interface LinkState {
  /** Null for a person that there is not yet. */
  readonly person_id: number | null;
  readonly method: string;
  readonly weight: number | null;
}

/** A mention that would be linked otherwise. */
interface LinkChange extends RecordName {
  readonly before: LinkState;
  readonly after: LinkState;
}

interface ReviewChange {
  readonly change: 'opened' | 'closed';
  readonly kind: string;
  readonly weight: number | null;
  readonly left: RecordName;
  readonly right: RecordName;
}

/** What the night after a change of models would change. */
export interface ModelComparison {
  readonly model: string;
  readonly version_in_force: number;
  readonly version: number;
  /** Mentions without a valid document number, which the model decides upon. */
  readonly weighed: number;
  /** Links to another person, or by another method; `weight` is the band in bits, of after where it has one. */
  readonly links: {
    readonly changed: number;
    readonly by: readonly {
      readonly before: string;
      readonly after: string;
      readonly weight: string;
      readonly to_another_person: boolean;
      readonly mentions: number;
    }[];
  };
  /** Events by kind: created, merged, split, moved. */
  readonly persons: Readonly<Record<string, number>>;
  readonly reviews: {
    readonly opened: number;
    readonly closed: number;
    readonly by: readonly {
      readonly change: string;
      readonly kind: string;
      readonly weight: string;
      readonly reviews: number;
    }[];
  };
  readonly examples: { readonly links: readonly LinkChange[]; readonly reviews: readonly ReviewChange[] };
}

/** What is asked of the model in force. */
type Standing = Pick<Model, 'model' | 'version'>;

/**
 * Says what would change if a model were put in force: reconciles every mention without a number by it, as the next
 * night would, in a transaction that is taken back. Nothing is written.
 *
 * @param inForce the model of the nights until now
 * @param candidate the model to try
 * @param most how many links and how many reviews are named as examples
 * @param notice told of each part of the work as it begins
 * @throws USAGE when they are not versions of one model; MODEL_NO_DATA when nothing is linked; RUN_IN_PROGRESS
 */
export async function compareModels(
  warehouse: Warehouse,
  inForce: Standing,
  candidate: TrainedModel,
  most: number,
  notice: (message: string) => void,
): Promise<ModelComparison> {
  if (candidate.model !== inForce.model)
    throw new PopshareError('USAGE', `model ${candidate.model} is no version of ${inForce.model}`);
  await requireLinks(warehouse);
  return tryOut(warehouse, async (tx, inside, runId) => {
    await rememberState(tx);
    const weighed = await weighedMentions(tx);
    notice(`weighing ${weighed} mentions without a number by version ${candidate.version}`);
    await reconcile(inside, runId, candidate);
    notice('comparing with the links as they stand');
    await findChanges(tx);
    return {
      model: candidate.model,
      version_in_force: inForce.version,
      version: candidate.version,
      weighed,
      ...(await countChanges(tx)),
      examples: await examples(tx, most),
    };
  });
}

/** @throws MODEL_NO_DATA */
async function requireLinks(warehouse: Warehouse): Promise<void> {
  const { rows } = await sql`SELECT FROM identity.link LIMIT 1`.execute(warehouse.db);
  if (rows.length === 0) throw new PopshareError('MODEL_NO_DATA', 'no mention of the warehouse is linked');
}

/** After: temporary tables `link_before`, `review_before` and `last_before` are how identity stands. */
async function rememberState(tx: Transaction<DB>): Promise<void> {
  await sql`
    CREATE TEMPORARY TABLE link_before ON COMMIT DROP AS
    SELECT mention_id, person_id, method, weight FROM identity.link`.execute(tx);
  await sql`
    CREATE TEMPORARY TABLE review_before ON COMMIT DROP AS
    SELECT review_id, status, kind, weight FROM identity.review`.execute(tx);
  await sql`
    CREATE TEMPORARY TABLE last_before ON COMMIT DROP AS
    SELECT (SELECT coalesce(max(event_id), 0) FROM identity.person_event) AS event_id,
           (SELECT coalesce(max(person_id), 0) FROM identity.person) AS person_id`.execute(tx);
  await sql`ANALYZE link_before, review_before`.execute(tx);
}

/** How many mentions a model decides upon: the reconciliation by another one asks all of them again. */
async function weighedMentions(tx: Transaction<DB>): Promise<number> {
  const { rows } = await sql<{ mentions: number }>`
    SELECT count(*) AS mentions FROM identity.mention WHERE active AND id_number IS NULL`.execute(tx);
  return rows[0]?.mentions ?? 0;
}

/** The band of a weight in bits. */
const BAND = sql`CASE WHEN weight IS NULL THEN 'none' WHEN weight < 0 THEN '< 0' WHEN weight < 5 THEN '0–5'
  WHEN weight < 10 THEN '5–10' WHEN weight < 20 THEN '10–20' ELSE '≥ 20' END`;

/** After: temporary tables `link_change` and `review_change`. */
async function findChanges(tx: Transaction<DB>): Promise<void> {
  await sql`
    CREATE TEMPORARY TABLE link_change ON COMMIT DROP AS
    SELECT mention_id, b.person_id AS old_person, k.person_id AS new_person, b.method AS old_method,
           k.method AS new_method, b.weight AS old_weight, k.weight AS new_weight, coalesce(k.weight, b.weight) AS weight
    FROM link_before b JOIN identity.link k USING (mention_id)
    WHERE (b.person_id, b.method) IS DISTINCT FROM (k.person_id, k.method)`.execute(tx);
  await sql`
    CREATE TEMPORARY TABLE review_change ON COMMIT DROP AS
    SELECT r.review_id, CASE WHEN r.status = 'open' THEN 'opened' ELSE 'closed' END AS change, r.kind, r.weight,
           r.left_mention, r.right_mention
    FROM identity.review r LEFT JOIN review_before b USING (review_id)
    WHERE (r.status = 'open') <> (coalesce(b.status, '') = 'open')`.execute(tx);
}

async function countChanges(
  tx: Transaction<DB>,
): Promise<Pick<ModelComparison, 'links' | 'persons' | 'reviews'>> {
  const { rows: links } = await sql<ModelComparison['links']['by'][number]>`
    SELECT old_method AS before, new_method AS after, ${BAND} AS weight, old_person <> new_person AS to_another_person,
           count(*) AS mentions
    FROM link_change GROUP BY 1, 2, 3, 4 ORDER BY 1, 2, min(weight), 4`.execute(tx);
  const { rows: events } = await sql<{ kind: string; events: number }>`
    SELECT e.kind, count(*) AS events FROM identity.person_event e, last_before b
    WHERE e.event_id > b.event_id GROUP BY e.kind ORDER BY e.kind`.execute(tx);
  const { rows: reviews } = await sql<ModelComparison['reviews']['by'][number]>`
    SELECT change, kind, ${BAND} AS weight, count(*) AS reviews
    FROM review_change GROUP BY 1, 2, 3 ORDER BY 1, 2, min(weight)`.execute(tx);
  const reviewsThat = (change: string): number =>
    reviews.reduce((sum, row) => sum + (row.change === change ? row.reviews : 0), 0);
  return {
    links: { changed: links.reduce((sum, { mentions }) => sum + mentions, 0), by: links },
    persons: Object.fromEntries(events.map(({ kind, events: number }) => [kind, number])),
    reviews: { opened: reviewsThat('opened'), closed: reviewsThat('closed'), by: reviews },
  };
}

async function examples(tx: Transaction<DB>, most: number): Promise<ModelComparison['examples']> {
  const { rows: links } = await sql<LinkChange>`
    SELECT m.feed, m.source_key, m.role,
           jsonb_build_object('person_id', c.old_person, 'method', c.old_method, 'weight', c.old_weight) AS before,
           jsonb_build_object('person_id', CASE WHEN c.new_person <= b.person_id THEN c.new_person END,
                              'method', c.new_method, 'weight', c.new_weight) AS after
    FROM link_change c JOIN identity.mention m USING (mention_id), last_before b
    ORDER BY c.old_person <> c.new_person DESC, m.feed, m.source_key, m.role LIMIT ${most}`.execute(tx);
  const { rows: reviews } = await sql<ReviewChange>`
    SELECT c.change, c.kind, c.weight,
           jsonb_build_object('feed', l.feed, 'source_key', l.source_key, 'role', l.role) AS "left",
           jsonb_build_object('feed', r.feed, 'source_key', r.source_key, 'role', r.role) AS "right"
    FROM review_change c JOIN identity.mention l ON l.mention_id = c.left_mention
    JOIN identity.mention r ON r.mention_id = c.right_mention
    ORDER BY c.change DESC, l.feed, l.source_key, l.role, r.feed, r.source_key, r.role LIMIT ${most}`.execute(
    tx,
  );
  return { links, reviews };
}
