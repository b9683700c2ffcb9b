import { sql, type Transaction } from 'kysely';
import type { DB } from '../schema/database.ts';
import { connectGroups } from './components.ts';
import { findDoubts, MARGIN, nameOf } from './doubts.ts';
import type { TrainedModel } from './model/weights.ts';
import { findRivals, settleRivals } from './rivals.ts';

/**
 * Puts unresolved mentions together that speak of the same person among themselves.
 *
 * Before: `edge` weighs them. After: temporary table `mate` gives every unresolved mention its group; the group is
 * named by its smallest mention. A group in which two mentions contradict each other is dissolved: one record, one
 * household, a law of the model, two sexes, years of birth more than one apart, names that are not compatible, a human who set them apart, or tied one to
 * a number from whose mentions the other is set apart, or tied both to numbers. Of a dissolved group, `torn` keeps the
 * pair that weighs most, for a human to look at. A chain may not join what its ends keep apart. What a human tied together (`unit`) stays together.
 */
export async function groupUnresolved(tx: Transaction<DB>, model: TrainedModel): Promise<void> {
  await sql`
    CREATE TEMPORARY TABLE mate ON COMMIT DROP AS
    SELECT u.mention_id, u.mention_id AS group_id, u.feed, u.source_key, coalesce(b.group_id, u.mention_id) AS unit,
           EXISTS (SELECT FROM bound_number n WHERE n.group_id = b.group_id) AS has_number
    FROM unresolved u LEFT JOIN bound b USING (mention_id)`.execute(tx);
  await sql`ALTER TABLE mate ADD PRIMARY KEY (mention_id)`.execute(tx);
  await sql`
    CREATE TEMPORARY TABLE bond ON COMMIT DROP AS
    SELECT mention_id, other_id FROM edge WHERE weight >= ${model.thresholds.join} AND NOT is_forbidden
    UNION
    SELECT min(mention_id) OVER (PARTITION BY unit), mention_id FROM mate JOIN bound USING (mention_id)`.execute(
    tx,
  );
  await connectGroups(tx, 'mate', 'bond');
  await sql`
    CREATE TEMPORARY TABLE torn (mention_id bigint, other_id bigint, weight float8, vector bigint) ON COMMIT DROP`.execute(
    tx,
  );
  await sql`
    WITH kept_off AS (
      SELECT a.mention_id, n.group_id AS unit
      FROM apart a JOIN identity.mention o ON o.mention_id = a.other_id JOIN bound_number n USING (id_number)),
    contradictory AS (
      SELECT DISTINCT l.group_id
      FROM mate l JOIN mate r ON r.group_id = l.group_id AND r.mention_id > l.mention_id AND r.unit <> l.unit
      JOIN paired_feature lf ON lf.mention_id = l.mention_id
      JOIN paired_feature rf ON rf.mention_id = r.mention_id
      WHERE (l.feed = r.feed AND (l.source_key = r.source_key OR lf.household_code = rf.household_code))
         OR EXISTS (SELECT FROM edge e WHERE e.mention_id = l.mention_id AND e.other_id = r.mention_id AND e.is_forbidden)
         OR lf.sex <> rf.sex
         OR abs(left(lf.birth, 4)::integer - left(rf.birth, 4)::integer) > 1
         OR NOT (lf.pinyin = rf.pinyin OR lf.shape = rf.shape
                 OR coalesce(lf.name LIKE rf.name_pattern, false) OR coalesce(rf.name LIKE lf.name_pattern, false))
         OR (l.has_number AND r.has_number)
         OR (l.has_number AND EXISTS (SELECT FROM kept_off k WHERE k.mention_id = r.mention_id AND k.unit = l.unit))
         OR (r.has_number AND EXISTS (SELECT FROM kept_off k WHERE k.mention_id = l.mention_id AND k.unit = r.unit))
         OR EXISTS (SELECT FROM apart a WHERE a.mention_id = l.mention_id AND a.other_id = r.mention_id)),
    kept AS (
      INSERT INTO torn
      SELECT DISTINCT ON (l.group_id) e.mention_id, e.other_id, e.weight, e.vector
      FROM edge e JOIN mate l USING (mention_id) JOIN contradictory c ON c.group_id = l.group_id
      JOIN identity.mention m ON m.mention_id = e.mention_id JOIN identity.mention o ON o.mention_id = e.other_id
      WHERE e.weight >= ${model.thresholds.join}
      ORDER BY l.group_id, e.weight DESC, least(${nameOf('m')}, ${nameOf('o')}), greatest(${nameOf('m')}, ${nameOf('o')}))
    UPDATE mate m SET group_id = own.first
    FROM (SELECT mention_id, min(mention_id) OVER (PARTITION BY unit) AS first
          FROM mate JOIN contradictory USING (group_id)) own
    WHERE m.mention_id = own.mention_id`.execute(tx);
}

/**
 * Decides for every group of unresolved mentions which person it is.
 *
 * A human's word comes first. Then the best node, when it reaches the join threshold and leads by the margin; a link
 * that stands stays as long as it reaches the split threshold (hysteresis). No two mentions of one record
 * go to one person, nor what a law sets apart.
 *
 * After: `choice` has each unresolved mention with its label, method, weight and vector; `doubt` has what a human
 * should look at: the best node of a group that reached the split threshold, but was not taken.
 */
export async function chooseNodes(tx: Transaction<DB>, model: TrainedModel): Promise<void> {
  const { join, split } = model.thresholds;
  await findRivals(tx);
  await sql`
    CREATE TEMPORARY TABLE told_same ON COMMIT DROP AS
    SELECT DISTINCT g.group_id, m.node
    FROM bound own JOIN mate g USING (mention_id)
    JOIN bound o ON o.group_id = own.group_id JOIN member m ON m.mention_id = o.mention_id`.execute(tx);
  await sql`ANALYZE told_same`.execute(tx);
  await sql`
    CREATE TEMPORARY TABLE contender ON COMMIT DROP AS
    SELECT g.group_id, e.node, max(e.weight) AS weight, coalesce(bool_or(e.stays), false) AS stays, bool_or(t.node IS NOT NULL) AS decided
    FROM evidence e
    JOIN mate g USING (mention_id)
    LEFT JOIN told_same t ON t.group_id = g.group_id AND t.node = e.node
    LEFT JOIN barred b ON b.group_id = g.group_id AND b.node = e.node
    WHERE b.node IS NULL OR t.node IS NOT NULL
    GROUP BY g.group_id, e.node`.execute(tx);
  await sql`
    CREATE TEMPORARY TABLE leader ON COMMIT DROP AS
    SELECT best.*, coalesce(decided OR (weight >= ${join} AND weight - coalesce(second, -1000) >= ${MARGIN})
                            OR (stays AND weight >= ${split}), false) AS taken
    FROM (SELECT DISTINCT ON (group_id) group_id, node, weight, stays, decided,
                 lead(weight) OVER (PARTITION BY group_id ORDER BY decided DESC, weight DESC, stays DESC, node) AS second
          FROM contender ORDER BY group_id, decided DESC, weight DESC, stays DESC, node) best`.execute(tx);
  await settleRivals(tx);
  await sql`ANALYZE leader, mate`.execute(tx);
  await sql`
    CREATE TEMPORARY TABLE choice ON COMMIT DROP AS
    SELECT g.mention_id, g.group_id,
           CASE WHEN l.taken THEN l.node ELSE 'mention ' || g.group_id END AS label,
           CASE WHEN l.taken AND l.decided THEN 'decision'
                WHEN l.taken THEN 'model'
                WHEN count(*) OVER (PARTITION BY g.group_id, g.unit) > 1 THEN 'decision'
                WHEN count(*) OVER (PARTITION BY g.group_id) > 1 THEN 'model' ELSE 'single' END AS method,
           CASE WHEN l.taken THEN l.weight END AS weight, CASE WHEN l.taken THEN e.vector END AS vector
    FROM mate g
    LEFT JOIN leader l USING (group_id)
    LEFT JOIN evidence e ON e.mention_id = g.mention_id AND e.node = l.node`.execute(tx);
  await findDoubts(tx, model);
  await sql`
    INSERT INTO cluster (mention_id, person_id, linked_run, id_number, label, method, weight, vector)
    SELECT u.mention_id, u.person_id, u.linked_run, NULL, c.label, c.method, c.weight, c.vector
    FROM choice c JOIN unresolved u USING (mention_id)`.execute(tx);
}
