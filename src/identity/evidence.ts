import { sql, type Transaction } from 'kysely';
import type { DB } from '../schema/database.ts';
import type { RunId } from '../schema/ids.ts';
import { recordCrowds } from './meetings.ts';
import { bestLevelsSql, patternSql } from './model/comparison-sql.ts';
import { brokenLaw } from './model/laws.ts';
import { patternWeight, type TrainedModel } from './model/weights.ts';
import { membersOf } from './relatives.ts';

/** Over features l and r: a register names each member of a household once, so these are two of them. */
export const HOUSEMATES = sql`(l.household_code = r.household_code AND l.feed = r.feed AND l.source_key <> r.source_key)`;

/**
 * Pairs that meet by a block key, or as family, and whose names are compatible. Who has no name (a newborn whose
 * parents had not chosen one) is compared with those of the family who have the same sex and birth date.
 *
 * Before: `unresolved`, `met`, `crowd` and identity.relative stand. After: temporary table `pair` has each unresolved
 * mention with each mention that it meets; keys under which too many stood are in identity.crowded_key.
 */
export async function pairUp(tx: Transaction<DB>, model: TrainedModel, runId: RunId): Promise<void> {
  await recordCrowds(tx, model, runId);
  await sql`
    CREATE TEMPORARY TABLE pair ON COMMIT DROP AS
    SELECT p.mention_id, p.other_id, p.anchored
    FROM (SELECT mention_id, other_id, anchored, false AS is_kin FROM met
          UNION ALL
          SELECT n.mention_id, n.other_id, true, true FROM identity.relative n JOIN unresolved USING (mention_id)
          ORDER BY other_id) p
    JOIN unresolved l USING (mention_id) LEFT JOIN identity.name_form lf ON lf.name = l.name
    JOIN identity.mention r ON r.mention_id = p.other_id JOIN identity.name_form rf ON rf.name = r.name
    WHERE (lf.pinyin = rf.pinyin OR lf.shape = rf.shape OR l.name LIKE rf.pattern OR r.name LIKE lf.pattern
           OR (p.is_kin AND l.name IS NULL AND l.birth_date = r.birth_date AND l.sex = r.sex))
      AND NOT (l.feed = r.feed AND l.source_key = r.source_key)
      AND NOT EXISTS (SELECT FROM identity.decision d WHERE d.lifted_at IS NULL AND d.verdict = 'different'
                      AND d.left_mention = least(p.mention_id, p.other_id) AND d.right_mention = greatest(p.mention_id, p.other_id))`.execute(
    tx,
  );
  // What a human put together is weighed, whatever its keys and names.
  await sql`
    INSERT INTO pair
    SELECT u.mention_id, o.mention_id, m.id_number IS NOT NULL
    FROM unresolved u JOIN bound b USING (mention_id) JOIN bound o ON o.group_id = b.group_id AND o.mention_id <> u.mention_id
    JOIN identity.mention m ON m.mention_id = o.mention_id
    WHERE m.active AND NOT EXISTS (SELECT FROM pair p WHERE p.mention_id = u.mention_id AND p.other_id = o.mention_id)`.execute(
    tx,
  );
  await sql`ANALYZE pair`.execute(tx);
}

/**
 * Weighs unresolved mentions against persons that a document number anchors.
 *
 * A node is such a person: `label` of the scope, or `person <id>` outside it. After: temporary table `evidence`
 * has one row for each unresolved mention and node that met, with the comparison vector (of all the node's
 * anchored mentions the best level, comparison by comparison), and its weight.
 */
export async function weighNodes(tx: Transaction<DB>, model: TrainedModel): Promise<void> {
  await sql`
    CREATE TEMPORARY TABLE met_node ON COMMIT DROP AS
    SELECT DISTINCT p.mention_id, coalesce(c.label, 'person ' || l.person_id) AS node
    FROM pair p
    LEFT JOIN cluster c ON c.mention_id = p.other_id
    LEFT JOIN identity.link l ON l.mention_id = p.other_id
    WHERE p.anchored AND coalesce(c.method, l.method) <> 'name_conflict'`.execute(tx);
  await sql`ANALYZE met_node`.execute(tx);
  await sql`
    CREATE TEMPORARY TABLE member ON COMMIT DROP AS ${membersOf(sql`met_node`)}`.execute(tx);
  await sql`ANALYZE member`.execute(tx);
  await createFeatureTable(tx);
  await sql`
    CREATE TEMPORARY TABLE node_vector ON COMMIT DROP AS
    SELECT n.mention_id, n.node, ${sql.raw(bestLevelsSql(model, 'compared.pattern'))} AS vector,
           bool_or(m.person_id = u.person_id AND NOT u.by_decision) AS stays, bool_or(${HOUSEMATES}) AS are_housemates
    FROM met_node n
    JOIN unresolved u ON u.mention_id = n.mention_id
    JOIN member m ON m.node = n.node
    JOIN paired_feature l ON l.mention_id = n.mention_id
    JOIN paired_feature r ON r.mention_id = m.mention_id
    CROSS JOIN LATERAL (SELECT ${sql.raw(patternSql(model))} AS pattern OFFSET 0) compared
    GROUP BY n.mention_id, n.node`.execute(tx);
  await weigh(tx, model, 'node_vector', 'evidence');
}

/** Weighs unresolved mentions against each other. After: temporary table `edge` has each pair once, with its weight. */
export async function weighEdges(tx: Transaction<DB>, model: TrainedModel): Promise<void> {
  await sql`
    CREATE TEMPORARY TABLE edge_vector ON COMMIT DROP AS
    SELECT p.mention_id, p.other_id, ${sql.raw(patternSql(model))} AS vector, ${HOUSEMATES} AS are_housemates
    FROM pair p
    JOIN unresolved o ON o.mention_id = p.other_id
    JOIN paired_feature l ON l.mention_id = p.mention_id
    JOIN paired_feature r ON r.mention_id = p.other_id
    WHERE NOT p.anchored AND p.mention_id < p.other_id`.execute(tx);
  await weigh(tx, model, 'edge_vector', 'edge');
}

/** The features of everything that is compared, once: identity.feature is a view over three tables. */
async function createFeatureTable(tx: Transaction<DB>): Promise<void> {
  await sql`
    CREATE TEMPORARY TABLE paired_feature ON COMMIT DROP AS
    SELECT f.* FROM identity.feature f
    JOIN (SELECT mention_id FROM member UNION SELECT mention_id FROM unresolved ORDER BY mention_id) p USING (mention_id)`.execute(
    tx,
  );
  await sql`CREATE UNIQUE INDEX ON paired_feature (mention_id)`.execute(tx);
  await sql`ANALYZE paired_feature (mention_id)`.execute(tx);
}

/**
 * Looks the weight up per pattern, not per pair: there are few patterns, and a new model re-weighs patterns alone.
 *
 * After: the table `to` is `from` with the weight, and with `is_forbidden`: whether a law of the model sets the two
 * apart, or they are two members of one household.
 */
export async function weigh(
  tx: Transaction<DB>,
  model: TrainedModel,
  from: string,
  to: string,
): Promise<void> {
  const { rows } = await sql<{ vector: number }>`SELECT DISTINCT vector FROM ${sql.id(from)}`.execute(tx);
  const vectors = rows.map(({ vector }) => vector);
  const weights = vectors.map((vector) => patternWeight(model, BigInt(vector)));
  const forbidden = vectors.map((vector) => brokenLaw(model, BigInt(vector)) !== null);
  await sql`
    CREATE TEMPORARY TABLE ${sql.id(to)} ON COMMIT DROP AS
    SELECT v.*, w.weight, w.is_forbidden OR coalesce(v.are_housemates, false) AS is_forbidden
    FROM ${sql.id(from)} v
    JOIN unnest(${vectors}::bigint[], ${weights}::float8[], ${forbidden}::boolean[]) AS w (vector, weight, is_forbidden)
      USING (vector)`.execute(tx);
  await sql`ANALYZE ${sql.id(to)}`.execute(tx);
}
