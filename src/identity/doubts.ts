import { type RawBuilder, sql, type Transaction } from 'kysely';
import type { DB } from '../schema/database.ts';
import type { TrainedModel } from './model/weights.ts';

/** How much better the best person must be than the second best, in bits: otherwise a human decides. */
export const MARGIN = 3;

/**
 * What a mention is called, whenever it came: its number depends on the order of arrival. Of pairs that weigh the
 * same, a human is shown the one whose names come first.
 *
 * @param mention alias of a row of identity.mention
 */
export function nameOf(mention: string): RawBuilder<unknown> {
  const column = (name: string): RawBuilder<unknown> => sql.ref(`${mention}.${name}`);
  return sql`ARRAY[${column('feed')}, ${column('source_key')}, ${column('role')}]`;
}

/**
 * A query over `member`: of each node the mention that speaks for it, whose name comes first.
 *
 * @param nodes a table or query with `node`
 */
export function speakersOf(nodes: RawBuilder<unknown>): RawBuilder<unknown> {
  return sql`
    SELECT DISTINCT ON (k.node) k.node, m.mention_id, ${nameOf('m')} AS name
    FROM (SELECT DISTINCT node FROM ${nodes}) n JOIN member k USING (node)
    JOIN identity.mention m ON m.mention_id = k.mention_id
    ORDER BY k.node, name`;
}

/**
 * Finds what the model leaves to a human.
 *
 * Before: `leader`, `contender`, `mate`, `evidence` and `member` stand. After: temporary table `doubt` has of each
 * group whose best node reached the split threshold, but was not taken beyond doubt, the pair that weighs most.
 */
export async function findDoubts(tx: Transaction<DB>, model: TrainedModel): Promise<void> {
  const { join, split } = model.thresholds;
  await sql`
    CREATE TEMPORARY TABLE doubt ON COMMIT DROP AS
    WITH asked AS (
      SELECT l.group_id, k.node, CASE WHEN l.weight < ${join} THEN 'doubtful' ELSE 'ambiguous' END AS kind
      FROM leader l JOIN contender k USING (group_id)
      WHERE l.weight >= ${split} AND NOT l.decided
        AND (NOT l.taken OR l.weight < ${join} OR l.weight - coalesce(l.second, -1000) < ${MARGIN})
        AND (k.node = l.node OR (k.weight = l.weight AND NOT l.taken))),
    speaker AS (${speakersOf(sql`asked`)})
    SELECT DISTINCT ON (a.group_id) least(e.mention_id, s.mention_id) AS left_mention,
           greatest(e.mention_id, s.mention_id) AS right_mention, a.kind, e.weight, e.vector
    FROM asked a JOIN speaker s USING (node)
    JOIN mate g ON g.group_id = a.group_id
    JOIN evidence e ON e.mention_id = g.mention_id AND e.node = a.node
    JOIN identity.mention m ON m.mention_id = e.mention_id
    ORDER BY a.group_id, e.weight DESC, ${nameOf('m')}, s.name`.execute(tx);
  // Two may each be the one that is most alike the other: one doubt.
  await sql`CREATE UNIQUE INDEX ON doubt (left_mention, right_mention)`.execute(tx);
}
