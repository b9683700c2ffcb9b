import { type RawBuilder, sql } from 'kysely';
import { PopshareError } from '../schema/errors.ts';
import type { Queryable } from '../schema/warehouse/connect.ts';

/** A mention of a review, without personal values. */
export interface ReviewSide {
  readonly mention_id: number;
  readonly feed: string;
  readonly source_key: string;
  readonly role: string;
  readonly person_id: number | null;
}

/** A pair that a human should look at. */
export interface Review {
  readonly review_id: number;
  readonly kind: string;
  readonly status: string;
  readonly weight: number | null;
  readonly opened_at: Date;
  readonly left: ReviewSide;
  readonly right: ReviewSide;
  /** Open anomalies of the records of its persons. */
  readonly anomalies: number;
  /** Social insurance benefits drawn and subsistence allowances of its persons. */
  readonly benefits: number;
  /** What hangs on it: anomalies and benefits. */
  readonly priority: number;
}

/** A decision in force or lifted, as the queue shows it. */
export interface StoredDecision {
  readonly decision_id: number;
  readonly verdict: string;
  readonly left_mention: number;
  readonly right_mention: number;
  readonly reason: string;
  readonly decided_by: string;
  readonly decided_at: Date;
  readonly lifted_by: string | null;
  readonly lifted_reason: string | null;
  readonly lifted_at: Date | null;
}

const MOST_LISTED = 500;

/** The open reviews, what matters most first: at most 500. */
export async function listReviews(warehouse: Queryable): Promise<Review[]> {
  return readReviews(warehouse, sql`r.status = 'open'`);
}

/**
 * One review in any state, with the decisions on its mentions.
 *
 * @throws REVIEW_UNKNOWN
 */
export async function showReview(
  warehouse: Queryable,
  reviewId: number,
): Promise<{ review: Review; decisions: StoredDecision[] }> {
  const [review] = await readReviews(warehouse, sql`r.review_id = ${reviewId}`);
  if (review === undefined) throw new PopshareError('REVIEW_UNKNOWN', `there is no review ${reviewId}`);
  const mentions = [review.left.mention_id, review.right.mention_id];
  return { review, decisions: await decisionsOn(warehouse, mentions) };
}

/**
 * The two mentions of a review that waits for a decision.
 *
 * @throws REVIEW_UNKNOWN, REVIEW_STATE when it is closed
 */
export async function openPair(warehouse: Queryable, reviewId: number): Promise<readonly [number, number]> {
  const { review } = await showReview(warehouse, reviewId);
  if (review.status !== 'open')
    throw new PopshareError('REVIEW_STATE', `review ${reviewId} is ${review.status}`);
  return [review.left.mention_id, review.right.mention_id];
}

/** All decisions on any of these mentions, newest first. */
export async function decisionsOn(
  warehouse: Queryable,
  mentions: readonly number[],
): Promise<StoredDecision[]> {
  const { rows } = await sql<StoredDecision>`
    SELECT decision_id, verdict, left_mention, right_mention, reason, decided_by, decided_at,
           lifted_by, lifted_reason, lifted_at
    FROM identity.decision
    WHERE left_mention = ANY (${mentions}::bigint[]) OR right_mention = ANY (${mentions}::bigint[])
    ORDER BY decision_id DESC`.execute(warehouse.db);
  return rows;
}

/** The value is counted at reading: it changes with every night. */
async function readReviews(warehouse: Queryable, which: RawBuilder<unknown>): Promise<Review[]> {
  const side = (mention: string, link: string): RawBuilder<unknown> => sql`jsonb_build_object(
    'mention_id', ${sql.ref(`${mention}.mention_id`)}, 'feed', ${sql.ref(`${mention}.feed`)},
    'source_key', ${sql.ref(`${mention}.source_key`)}, 'role', ${sql.ref(`${mention}.role`)},
    'person_id', ${sql.ref(`${link}.person_id`)})`;
  const { rows } = await sql<Review>`
    WITH chosen AS (
      SELECT r.*, ${side('lm', 'll')} AS "left", ${side('rm', 'rl')} AS "right",
             ll.person_id AS left_person, rl.person_id AS right_person
      FROM identity.review r
      JOIN identity.mention lm ON lm.mention_id = r.left_mention LEFT JOIN identity.link ll ON ll.mention_id = r.left_mention
      JOIN identity.mention rm ON rm.mention_id = r.right_mention LEFT JOIN identity.link rl ON rl.mention_id = r.right_mention
      WHERE ${which}),
    person AS (SELECT left_person AS person_id FROM chosen UNION SELECT right_person FROM chosen),
    record AS (
      SELECT DISTINCT p.person_id, m.feed, m.source_key, m.role
      FROM person p JOIN identity.link l USING (person_id) JOIN identity.mention m USING (mention_id) WHERE m.active),
    person_value AS (
      SELECT r.person_id,
        (count(DISTINCT a.anomaly_id))::int AS anomalies,
        (count(DISTINCT s.source_key) + count(DISTINCT b.source_key))::int AS benefits
      FROM record r
      LEFT JOIN anomalies.anomaly a ON a.feed = r.feed AND a.source_key = r.source_key
        AND (a.role IS NULL OR a.role = r.role) AND a.status NOT IN ('resolved', 'dismissed')
      LEFT JOIN registry.social_insurance s ON r.feed = 'social_insurance' AND s.source_key = r.source_key
        AND s.benefit_status = '1'
      LEFT JOIN registry.subsistence_allowance b ON r.feed = 'subsistence_allowance' AND b.source_key = r.source_key
      GROUP BY r.person_id)
    SELECT c.review_id, c.kind, c.status, c.weight, c.opened_at, c."left", c."right",
           v.anomalies, v.benefits, v.anomalies + v.benefits AS priority
    FROM chosen c
    CROSS JOIN LATERAL (
      SELECT coalesce(sum(anomalies), 0)::int AS anomalies, coalesce(sum(benefits), 0)::int AS benefits
      FROM person_value WHERE person_id IN (c.left_person, c.right_person)) v
    ORDER BY priority DESC, c.weight DESC NULLS LAST, c.review_id
    LIMIT ${MOST_LISTED}`.execute(warehouse.db);
  return rows;
}
