import { createHash } from 'node:crypto';
import { type RawBuilder, sql } from 'kysely';
import { compareNames } from '../schema/standards/names.ts';
import type { Warehouse } from '../schema/warehouse/connect.ts';
import { blockKeySql, elementsOf, isGiven } from './block-key-sql.ts';
import { MARGIN } from './doubts.ts';
import { featureOf, type GivenFeature, type IdentityFields } from './identity-fields.ts';
import { bestLevelsSql, patternSql } from './model/comparison-sql.ts';
import { brokenLaw } from './model/laws.ts';
import {
  explainPattern,
  patternWeight,
  type TrainedModel,
  type WeightPart,
  weightProbability,
} from './model/weights.ts';

/** A person that the fields may speak of. */
export interface Candidate {
  readonly personId: number;
  /** `number`: a valid document number and a compatible name; then there is no weight. */
  readonly method: 'number' | 'model';
  /** In bits, the prior included. */
  readonly weight: number | null;
  readonly probability: number | null;
  /** The parts of the weight, in the model's order. */
  readonly explanation: readonly WeightPart[];
  /** Whether a law of the model sets the fields apart from this person: then a human must look. */
  readonly forbidden: boolean;
}

/** The person for one set of identity fields. */
export interface Match {
  /**
   * `found`: the best candidate is the person; `doubtful`: it may be, by the split threshold or too close to the
   * second best, and a human must look; `none`: nobody comes near.
   */
  readonly outcome: 'found' | 'doubtful' | 'none';
  readonly best: Candidate | null;
  readonly second: Candidate | null;
}

/**
 * Finds the person for one set of identity fields, as the nightly reconciliation would: a valid number with a
 * compatible name answers at once; otherwise the persons that share a block key and have a compatible name are
 * weighed, the best level over all mentions of each. Whoever has another valid number than the one given is left out.
 *
 * @param fields as identityFieldsSchema returns them
 */
export async function matchPerson(
  warehouse: Warehouse,
  model: TrainedModel,
  fields: IdentityFields,
): Promise<Match> {
  const given = featureOf(fields);
  const byNumber = await matchNumber(warehouse, given);
  if (byNumber.length > 0) return matchOf('found', byNumber);
  const candidates = await weighCandidates(warehouse, model, given);
  const { join, split } = model.thresholds;
  const lawful = candidates.filter(({ forbidden }) => !forbidden);
  const [best, second] = lawful;
  if (best === undefined || best.weight < split) {
    const alike = candidates.filter(({ forbidden, weight }) => forbidden && weight >= join);
    return alike.length > 0 ? matchOf('doubtful', alike) : matchOf('none', candidates);
  }
  const leads = second === undefined || best.weight - second.weight >= MARGIN;
  return matchOf(best.weight >= join && leads ? 'found' : 'doubtful', lawful);
}

function matchOf(outcome: Match['outcome'], candidates: readonly Candidate[]): Match {
  return { outcome, best: candidates[0] ?? null, second: candidates[1] ?? null };
}

/** The persons with this document number and a compatible name: first those whom the number is believed to be of. */
async function matchNumber(warehouse: Warehouse, given: GivenFeature): Promise<Candidate[]> {
  if (given.id_number === null) return [];
  const { rows } = await prepared<{ person_id: number; name: string | null }>(
    warehouse,
    sql`
      SELECT l.person_id, m.name
      FROM identity.link l JOIN identity.mention m USING (mention_id)
      WHERE l.id_number = ${given.id_number} AND m.active
      ORDER BY l.method = 'name_conflict', count(*) OVER (PARTITION BY l.person_id) DESC, l.person_id`,
  );
  const compatible = rows.filter(
    ({ name }) => name === null || given.name === null || compareNames(name, given.name) !== 'different',
  );
  const persons = [...new Set(compatible.map(({ person_id }) => person_id))];
  return persons.map((personId) => ({
    personId,
    method: 'number',
    weight: null,
    probability: null,
    explanation: [],
    forbidden: false,
  }));
}

/** The persons that the fields may speak of by the model, the likeliest first. */
async function weighCandidates(
  warehouse: Warehouse,
  model: TrainedModel,
  given: GivenFeature,
): Promise<(Candidate & { readonly weight: number })[]> {
  if (given.name === null) return [];
  const { rows } = await prepared<{ person_id: number; vector: number }>(warehouse, weighing(model, given));
  return rows
    .map(({ person_id, vector }): Candidate & { weight: number } => {
      const pattern = BigInt(vector);
      const weight = patternWeight(model, pattern);
      return {
        personId: person_id,
        method: 'model',
        weight,
        probability: weightProbability(weight),
        explanation: explainPattern(model, pattern),
        forbidden: brokenLaw(model, pattern) !== null,
      };
    })
    .sort((left, right) => right.weight - left.weight || left.personId - right.personId);
}

/**
 * One statement from the fields to a comparison vector for each person met. Each lookup is a LATERAL with its own
 * limit, so that it goes by index whatever the planner thinks of the number of rows.
 */
function weighing(
  model: TrainedModel,
  given: GivenFeature,
): RawBuilder<{ person_id: number; vector: number }> {
  const keys = model.blocking.map(
    (rule, at) =>
      sql`SELECT ${blockKeySql(rule, at)} AS key FROM ${elementsOf(rule, sql.id('given'))} WHERE ${isGiven(rule)}`,
  );
  return sql`
    WITH given AS MATERIALIZED (
      SELECT * FROM jsonb_populate_record(NULL::identity.feature, ${JSON.stringify(given)}::jsonb)),
    own_key AS MATERIALIZED (SELECT DISTINCT key FROM (${sql.join(keys, sql` UNION ALL `)}) keys),
    held AS MATERIALIZED (
      SELECT b.mention_id, count(*) OVER (PARTITION BY k.key) AS mentions
      FROM own_key k CROSS JOIN LATERAL (
        SELECT mention_id FROM identity.block_key b WHERE b.key = k.key LIMIT ${sql.lit(model.block_limit + 1)}) b),
    met AS MATERIALIZED (SELECT DISTINCT mention_id FROM held WHERE mentions <= ${sql.lit(model.block_limit)}),
    person AS MATERIALIZED (
      SELECT DISTINCT known.person_id
      FROM met CROSS JOIN given l CROSS JOIN LATERAL (
        SELECT o.person_id
        FROM identity.mention m JOIN identity.name_form r ON r.name = m.name JOIN identity.link o USING (mention_id)
        WHERE m.mention_id = met.mention_id AND o.method <> 'name_conflict'
          AND (l.pinyin = r.pinyin OR l.shape = r.shape OR l.name LIKE r.pattern OR r.name LIKE l.name_pattern)
        LIMIT 1) known),
    member AS MATERIALIZED (
      SELECT p.person_id, f.*, bool_or(f.id_number IS NOT NULL) OVER (PARTITION BY p.person_id) AS has_number
      FROM person p
      CROSS JOIN LATERAL (
        SELECT mention_id FROM identity.link WHERE person_id = p.person_id AND method <> 'name_conflict' OFFSET 0) k
      CROSS JOIN LATERAL (SELECT * FROM identity.feature WHERE mention_id = k.mention_id LIMIT 1) f)
    SELECT r.person_id, ${sql.raw(bestLevelsSql(model, 'compared.pattern'))} AS vector
    FROM member r CROSS JOIN given l
    CROSS JOIN LATERAL (SELECT ${sql.raw(patternSql(model))} AS pattern OFFSET 0) compared
    WHERE (r.id_number IS NOT NULL) = r.has_number
    GROUP BY r.person_id
    HAVING coalesce(bool_and(r.id_number = l.id_number), true)`;
}

/** Runs a statement as a prepared one: its text is parsed and planned once on each connection. */
async function prepared<Row extends object>(
  warehouse: Warehouse,
  statement: RawBuilder<Row>,
): Promise<{ rows: Row[] }> {
  const { sql: text, parameters } = statement.compile(warehouse.db);
  const name = createHash('sha1').update(text).digest('hex');
  return warehouse.pool.query<Row>({ name, text, values: [...parameters] });
}
