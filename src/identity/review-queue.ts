import { type RawBuilder, sql } from 'kysely';
import { z } from 'zod';
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
  readonly status: 'open' | 'linked' | 'separated' | 'withdrawn';
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

/** Priority, weight and id of the last review of a page. */
const cursorSchema = z.tuple([z.int(), z.number().nullable(), z.int()]);

/**
 * One page of the open reviews, what matters most first; between equals the likelier pair, then the newer review.
 *
 * @param page `after`: `next` of the page before; null for the first
 * @throws CASE_INPUT when `after` is no end of a page
 */
export async function listReviews(
  warehouse: Queryable,
  { after, limit }: { readonly after: string | null; readonly limit: number },
): Promise<{ reviews: Review[]; next: string | null }> {
  const end = after === null ? sql`` : sql`AND (r.priority, ${WEIGHT}, r.review_id) < ${endOf(after)}`;
  const found = await readReviews(warehouse, sql`r.status = 'open' ${end}`, limit + 1);
  const reviews = found.slice(0, limit);
  const last = found.length > limit ? reviews.at(-1) : undefined;
  return {
    reviews,
    next: last === undefined ? null : cursorText([last.priority, last.weight, last.review_id]),
  };
}

/** A pair without a weight comes after all that have one. */
const WEIGHT = sql`coalesce(r.weight, '-Infinity'::float8)`;

function cursorText(cursor: z.output<typeof cursorSchema>): string {
  return Buffer.from(JSON.stringify(cursor)).toString('base64url');
}

/** @throws CASE_INPUT */
function endOf(after: string): RawBuilder<unknown> {
  try {
    const [priority, weight, id] = cursorSchema.parse(
      JSON.parse(Buffer.from(after, 'base64url').toString('utf8')),
    );
    return sql`(${priority}::integer, ${weight ?? '-Infinity'}::float8, ${id}::bigint)`;
  } catch (error) {
    throw new PopshareError('CASE_INPUT', 'this is no end of a page', { cause: error });
  }
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
  const [review] = await readReviews(warehouse, sql`r.review_id = ${reviewId}`, 1);
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

async function readReviews(
  warehouse: Queryable,
  which: RawBuilder<unknown>,
  limit: number,
): Promise<Review[]> {
  const side = (mention: string, link: string): RawBuilder<unknown> => sql`jsonb_build_object(
    'mention_id', ${sql.ref(`${mention}.mention_id`)}, 'feed', ${sql.ref(`${mention}.feed`)},
    'source_key', ${sql.ref(`${mention}.source_key`)}, 'role', ${sql.ref(`${mention}.role`)},
    'person_id', ${sql.ref(`${link}.person_id`)})`;
  // The page first: sides are asked about one by one.
  const { rows } = await sql<Review>`
    WITH chosen AS MATERIALIZED (
      SELECT r.* FROM identity.review r WHERE ${which}
      ORDER BY r.priority DESC, ${WEIGHT} DESC, r.review_id DESC LIMIT ${limit})
    SELECT r.review_id, r.kind, r.status, r.weight, r.opened_at, r.anomalies, r.benefits, r.priority,
           ${side('lm', 'll')} AS "left", ${side('rm', 'rl')} AS "right"
    FROM chosen r
    JOIN identity.mention lm ON lm.mention_id = r.left_mention LEFT JOIN identity.link ll ON ll.mention_id = r.left_mention
    JOIN identity.mention rm ON rm.mention_id = r.right_mention LEFT JOIN identity.link rl ON rl.mention_id = r.right_mention
    ORDER BY r.priority DESC, ${WEIGHT} DESC, r.review_id DESC`.execute(warehouse.db);
  return rows;
}
