import { sql, type Transaction } from 'kysely';
import type { DB } from '../schema/database.ts';

/**
 * Connected components: every round hands the smallest group across each bond, until nothing moves.
 *
 * Before: temporary table `nodes` has (mention_id, group_id), each mention a group of its own; `bonds` has
 * (mention_id, other_id). After: mentions that bonds connect have the same group, named by its smallest.
 */
export async function connectGroups(tx: Transaction<DB>, nodes: string, bonds: string): Promise<void> {
  for (let moved = 1; moved > 0; ) {
    const result = await sql`
      UPDATE ${sql.id(nodes)} n SET group_id = smaller.group_id
      FROM (SELECT mention_id, min(group_id) AS group_id FROM (
              SELECT b.mention_id, o.group_id FROM ${sql.id(bonds)} b JOIN ${sql.id(nodes)} o ON o.mention_id = b.other_id
              UNION ALL
              SELECT b.other_id, o.group_id FROM ${sql.id(bonds)} b JOIN ${sql.id(nodes)} o ON o.mention_id = b.mention_id) across
            GROUP BY mention_id) smaller
      WHERE n.mention_id = smaller.mention_id AND smaller.group_id < n.group_id`.execute(tx);
    moved = Number(result.numAffectedRows ?? 0);
  }
}
