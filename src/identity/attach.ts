import { sql, type Transaction } from 'kysely';
import type { DB } from '../schema/database.ts';
import type { TrainedModel } from './model/weights.ts';

/** How much better the best person must be than the second best, in bits: otherwise a human decides. */
const MARGIN = 3;

/**
 * Puts unresolved mentions together that speak of the same person among themselves.
 *
 * Before: `edge` weighs them. After: temporary table `mate` gives every unresolved mention its group; the group is
 * named by its smallest mention. A group in which two mentions contradict each other (one record, two sexes, names
 * that are not compatible) is dissolved: a chain may not join what its ends keep apart.
 */
export async function groupUnresolved(tx: Transaction<DB>, model: TrainedModel): Promise<void> {
  await sql`
    CREATE TEMPORARY TABLE mate ON COMMIT DROP AS
    SELECT u.mention_id, u.mention_id AS group_id, u.feed, u.source_key FROM unresolved u`.execute(tx);
  await sql`ALTER TABLE mate ADD PRIMARY KEY (mention_id)`.execute(tx);
  await sql`
    CREATE TEMPORARY TABLE bond ON COMMIT DROP AS
    SELECT mention_id, other_id FROM edge WHERE weight >= ${model.thresholds.join}
    UNION
    SELECT left_mention, right_mention FROM identity.decision d
    JOIN unresolved l ON l.mention_id = left_mention JOIN unresolved r ON r.mention_id = right_mention
    WHERE d.verdict = 'same' AND d.lifted_at IS NULL`.execute(tx);
  // Connected components: every round hands the smallest group across each bond, until nothing moves.
  for (let moved = 1; moved > 0; ) {
    const result = await sql`
      UPDATE mate m SET group_id = smaller.group_id
      FROM (SELECT mention_id, min(group_id) AS group_id FROM (
              SELECT b.mention_id, o.group_id FROM bond b JOIN mate o ON o.mention_id = b.other_id
              UNION ALL
              SELECT b.other_id, o.group_id FROM bond b JOIN mate o ON o.mention_id = b.mention_id) across
            GROUP BY mention_id) smaller
      WHERE m.mention_id = smaller.mention_id AND smaller.group_id < m.group_id`.execute(tx);
    moved = Number(result.numAffectedRows ?? 0);
  }
  await sql`
    UPDATE mate m SET group_id = m.mention_id
    WHERE m.group_id IN (
      SELECT l.group_id
      FROM mate l JOIN mate r ON r.group_id = l.group_id AND r.mention_id > l.mention_id
      JOIN paired_feature lf ON lf.mention_id = l.mention_id
      JOIN paired_feature rf ON rf.mention_id = r.mention_id
      WHERE (l.feed = r.feed AND l.source_key = r.source_key)
         OR lf.sex <> rf.sex
         OR NOT (lf.pinyin = rf.pinyin OR lf.shape = rf.shape
                 OR coalesce(lf.name LIKE rf.name_pattern, false) OR coalesce(rf.name LIKE lf.name_pattern, false)))`.execute(
    tx,
  );
}

/**
 * Decides for every group of unresolved mentions which person it is.
 *
 * A human's word comes first. Then the best node, when it reaches the join threshold and leads by the margin; a link
 * that stands stays as long as it reaches the split threshold (hysteresis). No two mentions of one record
 * go to one person.
 *
 * After: `choice` has each unresolved mention with its label, method, weight and vector; `doubt` has what a human
 * should look at: the best node of a group that reached the split threshold, but was not taken.
 */
export async function chooseNodes(tx: Transaction<DB>, model: TrainedModel): Promise<void> {
  const { join, split } = model.thresholds;
  await sql`
    CREATE TEMPORARY TABLE contender ON COMMIT DROP AS
    SELECT g.group_id, e.node, max(e.weight) AS weight, bool_or(e.stays) AS stays,
           bool_or(EXISTS (SELECT FROM identity.decision d JOIN member m ON m.node = e.node
             WHERE d.lifted_at IS NULL AND d.verdict = 'same'
               AND d.left_mention = least(e.mention_id, m.mention_id) AND d.right_mention = greatest(e.mention_id, m.mention_id))) AS decided
    FROM evidence e JOIN mate g USING (mention_id)
    WHERE NOT EXISTS (
      SELECT FROM mate own JOIN member m ON m.node = e.node JOIN identity.mention r ON r.mention_id = m.mention_id
      WHERE own.group_id = g.group_id AND own.feed = r.feed AND own.source_key = r.source_key)
    GROUP BY g.group_id, e.node`.execute(tx);
  await sql`
    CREATE TEMPORARY TABLE leader ON COMMIT DROP AS
    SELECT DISTINCT ON (group_id) group_id, node, weight, stays, decided,
           lead(weight) OVER (PARTITION BY group_id ORDER BY decided DESC, weight DESC, node) AS second
    FROM contender ORDER BY group_id, decided DESC, weight DESC, node`.execute(tx);
  await sql`
    CREATE TEMPORARY TABLE choice ON COMMIT DROP AS
    SELECT g.mention_id, g.group_id,
           CASE WHEN taken THEN l.node ELSE 'mention ' || g.group_id END AS label,
           CASE WHEN taken AND l.decided THEN 'decision'
                WHEN taken OR count(*) OVER (PARTITION BY g.group_id) > 1 THEN 'model' ELSE 'single' END AS method,
           CASE WHEN taken THEN l.weight END AS weight, CASE WHEN taken THEN e.vector END AS vector
    FROM mate g
    LEFT JOIN leader l USING (group_id)
    LEFT JOIN evidence e ON e.mention_id = g.mention_id AND e.node = l.node
    CROSS JOIN LATERAL (SELECT coalesce(
      l.decided OR (l.weight >= ${join} AND l.weight - coalesce(l.second, -1000) >= ${MARGIN})
      OR (l.stays AND l.weight >= ${split}), false) AS taken) verdict`.execute(tx);
  await sql`
    CREATE TEMPORARY TABLE doubt ON COMMIT DROP AS
    SELECT DISTINCT ON (c.group_id) least(e.mention_id, e.speaker) AS left_mention, greatest(e.mention_id, e.speaker) AS right_mention,
           CASE WHEN l.weight < ${join} THEN 'doubtful' ELSE 'ambiguous' END AS kind, e.weight, e.vector
    FROM choice c JOIN leader l USING (group_id) JOIN evidence e ON e.mention_id = c.mention_id AND e.node = l.node
    WHERE l.weight >= ${split} AND NOT l.decided
      AND (c.label <> l.node OR l.weight < ${join})
    ORDER BY c.group_id, e.weight DESC, e.mention_id`.execute(tx);
  await sql`
    INSERT INTO cluster (mention_id, person_id, linked_run, id_number, label, method, weight, vector)
    SELECT u.mention_id, u.person_id, u.linked_run, NULL, c.label, c.method, c.weight, c.vector
    FROM choice c JOIN unresolved u USING (mention_id)`.execute(tx);
}
