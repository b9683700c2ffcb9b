import { sql, type Transaction } from 'kysely';
import type { DB } from '../schema/database.ts';
import { nameOf, speakersOf } from './doubts.ts';
import { HOUSEMATES, weigh } from './evidence.ts';
import { patternSql } from './model/comparison-sql.ts';
import type { TrainedModel } from './model/weights.ts';

/**
 * Finds what broke a law and would otherwise be one person: a human should look at it, because the engine never joins
 * it on its own guess. A record whose number bears somebody else's name, or has an area that never was, may be a
 * person that is known by another number; and a group of records without numbers may have come apart because two of
 * them contradict each other.
 *
 * Before: `cluster`, `torn` and `doubt` stand. After: `doubt` has the most alike pair of each such conflict, where it
 * reaches the join threshold and is still apart.
 *
 * @param isFirst nothing is linked yet: mentions of plain numbers are in no cluster and have no link
 */
export async function addConflicts(
  tx: Transaction<DB>,
  model: TrainedModel,
  isFirst: boolean,
): Promise<void> {
  await sql`
    INSERT INTO doubt (left_mention, right_mention, kind, weight, vector)
    SELECT least(t.mention_id, t.other_id), greatest(t.mention_id, t.other_id), 'conflict', t.weight, t.vector
    FROM torn t JOIN cluster l ON l.mention_id = t.mention_id JOIN cluster r ON r.mention_id = t.other_id
    WHERE l.label <> r.label
    ON CONFLICT DO NOTHING`.execute(tx);
  await addForbidden(tx, model);
  await findDisputed(tx);
  const { rows } = await sql`SELECT FROM disputed LIMIT 1`.execute(tx);
  if (rows.length === 0) return;
  await weighDisputed(tx, model, isFirst);
  await sql`
    INSERT INTO doubt (left_mention, right_mention, kind, weight, vector)
    SELECT DISTINCT ON (w.mention_id) least(w.mention_id, w.other_id), greatest(w.mention_id, w.other_id), 'conflict', w.weight, w.vector
    FROM disputed_pair w JOIN identity.mention o ON o.mention_id = w.other_id
    WHERE w.weight >= ${model.thresholds.join} AND NOT EXISTS (
      SELECT FROM doubt d WHERE d.left_mention = least(w.mention_id, w.other_id) AND d.right_mention = greatest(w.mention_id, w.other_id))
    ORDER BY w.mention_id, w.weight DESC, ${nameOf('o')}
    ON CONFLICT DO NOTHING`.execute(tx);
}

/** Adds what a law alone keeps apart: of each group that is nobody's, the most alike person or other record. */
async function addForbidden(tx: Transaction<DB>, model: TrainedModel): Promise<void> {
  await sql`
    WITH speaker AS (${speakersOf(sql`evidence WHERE is_forbidden`)})
    INSERT INTO doubt (left_mention, right_mention, kind, weight, vector)
    SELECT DISTINCT ON (f.group_id) least(f.mention_id, f.other_id), greatest(f.mention_id, f.other_id), 'conflict', f.weight, f.vector
    FROM (
      SELECT g.group_id, e.mention_id, s.mention_id AS other_id, e.weight, e.vector
      FROM evidence e JOIN mate g USING (mention_id) JOIN speaker s USING (node)
      WHERE e.is_forbidden AND NOT EXISTS (
        SELECT FROM rival r JOIN member m USING (mention_id) WHERE r.group_id = g.group_id AND m.node = e.node)
      UNION ALL
      SELECT g.group_id, e.mention_id, e.other_id, e.weight, e.vector
      FROM (SELECT mention_id, other_id, weight, vector, is_forbidden FROM edge
            UNION ALL SELECT other_id, mention_id, weight, vector, is_forbidden FROM edge) e
      JOIN mate g USING (mention_id) JOIN mate o ON o.mention_id = e.other_id
      WHERE e.is_forbidden AND o.group_id <> g.group_id
        AND NOT EXISTS (SELECT FROM apart a WHERE a.mention_id = e.mention_id AND a.other_id = e.other_id)) f
    JOIN choice c ON c.mention_id = f.mention_id
    JOIN identity.mention m ON m.mention_id = f.mention_id JOIN identity.mention o ON o.mention_id = f.other_id
    WHERE f.weight >= ${model.thresholds.join} AND c.label = 'mention ' || f.group_id AND NOT EXISTS (
      SELECT FROM doubt d
      WHERE d.left_mention = least(f.mention_id, f.other_id) AND d.right_mention = greatest(f.mention_id, f.other_id))
    ORDER BY f.group_id, f.weight DESC, ${nameOf('m')}, ${nameOf('o')}
    ON CONFLICT DO NOTHING`.execute(tx);
}

/**
 * After: temporary table `disputed` has of each cluster of the scope whose number is somebody else's, or cannot have
 * been issued, the mention that speaks for it, whose name comes first among those that lead, and the one under which
 * its block keys stand.
 */
async function findDisputed(tx: Transaction<DB>): Promise<void> {
  await sql`
    CREATE TEMPORARY TABLE disputed ON COMMIT DROP AS
    SELECT (array_agg(c.mention_id ORDER BY coalesce(c.leads, false) DESC, ${nameOf('m')}))[1] AS mention_id,
           coalesce(min(c.mention_id) FILTER (WHERE c.leads), min(c.mention_id)) AS keyed_mention
    FROM cluster c
    -- Few, though the planner takes them for many: each is looked up.
    CROSS JOIN LATERAL (SELECT o.* FROM identity.mention o WHERE o.mention_id = c.mention_id OFFSET 0) m
    WHERE c.method = 'name_conflict'
       OR (c.method IN ('valid_id', 'upgraded_id')
           AND NOT EXISTS (SELECT FROM reference.area_code a WHERE a.code = left(c.id_number, 6)))
    GROUP BY c.label`.execute(tx);
  await sql`ANALYZE disputed`.execute(tx);
}

/**
 * After: temporary table `disputed_pair` has each disputed mention with each person anchored by another number that it
 * meets under a key that is not crowded, where the names are compatible and no human has set the two apart, weighed
 * by everything but the numbers.
 */
async function weighDisputed(tx: Transaction<DB>, model: TrainedModel, isFirst: boolean): Promise<void> {
  await findSpeakers(tx, model, isFirst);
  await sql`
    CREATE TEMPORARY TABLE disputed_vector ON COMMIT DROP AS
    SELECT m.mention_id, s.mention_id AS other_id, ${sql.raw(patternSql(model))} AS vector, ${HOUSEMATES} AS are_housemates
    FROM disputed_met m JOIN disputed_speaker s USING (keyed_mention)
    JOIN identity.feature l ON l.mention_id = least(m.mention_id, s.mention_id)
    JOIN identity.feature r ON r.mention_id = greatest(m.mention_id, s.mention_id)
    WHERE (l.pinyin = r.pinyin OR l.shape = r.shape OR l.name LIKE r.name_pattern OR r.name LIKE l.name_pattern)
      AND l.id_number <> r.id_number
      AND NOT EXISTS (SELECT FROM apart a WHERE a.mention_id = m.mention_id AND a.other_id = s.mention_id)`.execute(
    tx,
  );
  await weigh(tx, model, 'disputed_vector', 'disputed_pair');
}

/**
 * After: temporary table `disputed_met` has whom the disputed meet, by the mention under which the block keys of each
 * such person stand, and `disputed_speaker` for each of these the one that speaks for the person: the first mention
 * of its number and leading name.
 */
async function findSpeakers(tx: Transaction<DB>, model: TrainedModel, isFirst: boolean): Promise<void> {
  await sql`
    CREATE TEMPORARY TABLE disputed_met ON COMMIT DROP AS
    WITH own_key AS (
      SELECT d.mention_id, d.keyed_mention, b.key FROM disputed d JOIN identity.block_key b ON b.mention_id = d.keyed_mention),
    usable AS (
      SELECT k.key FROM (SELECT DISTINCT key FROM own_key) k JOIN identity.block_key b USING (key)
      GROUP BY k.key HAVING count(*) <= ${model.block_limit})
    SELECT DISTINCT k.mention_id, b.mention_id AS keyed_mention
    FROM own_key k JOIN usable USING (key) JOIN identity.block_key b USING (key)
    WHERE b.anchored AND b.mention_id <> k.keyed_mention`.execute(tx);
  await sql`
    CREATE TEMPORARY TABLE disputed_person ON COMMIT DROP AS
    SELECT k.mention_id AS keyed_mention, k.id_number, k.name
    FROM identity.mention k WHERE k.mention_id IN (SELECT keyed_mention FROM disputed_met)`.execute(tx);
  await sql`ANALYZE disputed_met, disputed_person`.execute(tx);
  await sql`
    CREATE TEMPORARY TABLE disputed_speaker ON COMMIT DROP AS
    SELECT DISTINCT ON (p.keyed_mention) p.keyed_mention, o.mention_id
    FROM disputed_person p JOIN ${isFirst ? sql`identity.mention o` : sql`(${linkedMentions}) o`} USING (id_number)
    WHERE o.active AND o.name IS NOT DISTINCT FROM p.name
    ORDER BY p.keyed_mention, ${nameOf('o')}`.execute(tx);
}

/** Mentions of the disputed persons' numbers: those that are linked by them, and those of tonight. */
const linkedMentions = sql`
  SELECT o.* FROM (
    SELECT l.mention_id FROM disputed_person p JOIN identity.link l USING (id_number)
    UNION
    SELECT c.mention_id FROM disputed_person p JOIN cluster c USING (id_number)) n JOIN identity.mention o USING (mention_id)`;
