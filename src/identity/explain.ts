import { sql } from 'kysely';
import { PopshareError } from '../schema/errors.ts';
import type { Queryable } from '../schema/warehouse/connect.ts';
import { HOUSEMATES } from './evidence.ts';
import { patternSql } from './model/comparison-sql.ts';
import { brokenLaw } from './model/laws.ts';
import { type TippingChange, tippingChanges } from './model/tipping.ts';
import {
  explainPattern,
  patternWeight,
  type TrainedModel,
  type WeightPart,
  weightProbability,
} from './model/weights.ts';
import { decisionsOn, type StoredDecision } from './review-queue.ts';

/** Why two mentions weigh what they weigh; levels alone, no personal values. */
export interface PairExplanation {
  /**
   * What the engine decides by before any weight: two numbers that differ are never one person without a human;
   * people of one record or household neither, nor what the model forbids. Null when the weight decides.
   */
  readonly law:
    | 'same_number'
    | 'same_number_other_name'
    | 'different_numbers'
    | 'one_record'
    | 'one_household'
    | 'cannot_link'
    | null;
  /** The law of the model, when it is one. */
  readonly forbidden_by: { readonly zh: string; readonly en: string } | null;
  readonly weight: number;
  readonly probability: number;
  readonly waterfall: readonly WeightPart[];
  /** The smallest change of evidence that would bring the weight across the threshold on its other side. */
  readonly tipping: readonly TippingChange[];
  readonly decisions: readonly StoredDecision[];
}

/** Why a mention is linked where it is. */
export interface LinkExplanation {
  readonly person_id: number;
  readonly method: string;
  readonly linked_at: Date;
  /** Of the model that linked it; null when no model did. */
  readonly model_version: number | null;
  /** What the model says for the link: of the stored comparison vector, else of the closest other mention. */
  readonly evidence: Pick<PairExplanation, 'weight' | 'probability' | 'waterfall' | 'tipping'> | null;
  readonly decisions: readonly StoredDecision[];
}

/**
 * Why a mention is linked where it is: by number, by the model (from the vector that was stored with the link), or
 * by a human.
 *
 * @throws MENTION_UNKNOWN when it is not linked
 */
export async function explainLink(
  warehouse: Queryable,
  model: TrainedModel,
  mention: number,
): Promise<LinkExplanation> {
  const { rows } = await sql<Omit<LinkExplanation, 'evidence' | 'decisions'> & { vector: number | null }>`
    SELECT person_id, method, linked_at, model_version, vector FROM identity.link WHERE mention_id = ${mention}`.execute(
    warehouse.db,
  );
  const link = rows[0];
  if (link === undefined) throw new PopshareError('MENTION_UNKNOWN', 'the mention is not linked yet');
  const { vector: stored, ...told } = link;
  const vector =
    stored ??
    (link.method === 'model' ? await closestVector(warehouse, model, mention, link.person_id) : null);
  return {
    ...told,
    evidence: vector === null ? null : evidenceOf(model, BigInt(vector)),
    decisions: await decisionsOn(warehouse, [mention]),
  };
}

/**
 * Why two mentions would be, or would not be, one person.
 *
 * @throws MENTION_UNKNOWN when one of them does not stand
 */
export async function explainPair(
  warehouse: Queryable,
  model: TrainedModel,
  leftMention: number,
  rightMention: number,
): Promise<PairExplanation> {
  // As the engine compares them: the one without a number, else the earlier one, is on the left.
  const { rows } = await sql<{ vector: number; law: PairExplanation['law'] }>`
    SELECT ${sql.raw(patternSql(model))} AS vector,
           CASE WHEN l.feed = r.feed AND l.source_key = r.source_key THEN 'one_record'
                WHEN l.id_number <> r.id_number THEN 'different_numbers'
                WHEN ${HOUSEMATES} AND coalesce(l.id_number <> r.id_number, true) THEN 'one_household'
                WHEN l.id_number = r.id_number AND (l.name IS NULL OR r.name IS NULL OR l.pinyin = r.pinyin OR l.shape = r.shape
                  OR coalesce(l.name LIKE r.name_pattern OR r.name LIKE l.name_pattern, false)) THEN 'same_number'
                WHEN l.id_number = r.id_number THEN 'same_number_other_name' END AS law
    FROM identity.feature l JOIN identity.feature r ON r.mention_id <> l.mention_id
    WHERE l.mention_id IN (${leftMention}, ${rightMention}) AND r.mention_id IN (${leftMention}, ${rightMention})
    ORDER BY l.id_number IS NOT NULL, l.mention_id LIMIT 1`.execute(warehouse.db);
  const pair = rows[0];
  if (pair === undefined) throw new PopshareError('MENTION_UNKNOWN', 'a mention of the pair does not stand');
  const decisions = await decisionsOn(warehouse, [leftMention, rightMention]);
  const forbidden = pair.law === null ? brokenLaw(model, BigInt(pair.vector)) : null;
  return {
    law: forbidden === null ? pair.law : 'cannot_link',
    forbidden_by: forbidden === null ? null : { zh: forbidden.zh ?? forbidden.law, en: forbidden.law },
    ...evidenceOf(model, BigInt(pair.vector)),
    decisions: decisions.filter(({ left_mention, right_mention }) =>
      [left_mention, right_mention].every((mention) => mention === leftMention || mention === rightMention),
    ),
  };
}

function evidenceOf(model: TrainedModel, pattern: bigint): NonNullable<LinkExplanation['evidence']> {
  const weight = patternWeight(model, pattern);
  return {
    weight,
    probability: weightProbability(weight),
    waterfall: explainPattern(model, pattern),
    tipping: tippingChanges(model, pattern),
  };
}

/** Mentions that the model put together without a number have no vector of their own: the best of all pairs. */
async function closestVector(
  warehouse: Queryable,
  model: TrainedModel,
  mention: number,
  person: number,
): Promise<number | null> {
  const { rows } = await sql<{ vector: number }>`
    SELECT DISTINCT ${sql.raw(patternSql(model))} AS vector
    FROM identity.feature l
    JOIN identity.link k ON k.person_id = ${person} AND k.mention_id <> ${mention}
    JOIN identity.feature r ON r.mention_id = k.mention_id
    WHERE l.mention_id = ${mention}`.execute(warehouse.db);
  const weighed = rows.map(({ vector }) => ({ vector, weight: patternWeight(model, BigInt(vector)) }));
  return weighed.sort((left, right) => right.weight - left.weight)[0]?.vector ?? null;
}
