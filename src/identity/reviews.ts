import { sql, type Transaction } from 'kysely';
import type { DB } from '../schema/database.ts';
import type { RunId } from '../schema/ids.ts';

/**
 * Brings the open reviews to the doubts of tonight: a doubt that is gone withdraws its review, one that comes
 * back reopens it, under the same id. A review that a human closed stays closed.
 *
 * Before: `doubt`, `unresolved`, `changed` and `cluster` stand. A conflict of numbers is asked again whenever one of them is
 * in the scope.
 */
export async function bringReviews(tx: Transaction<DB>, runId: RunId): Promise<void> {
  await sql`
    UPDATE identity.review r SET status = 'withdrawn', closed_at = now()
    WHERE r.status = 'open'
      AND (r.left_mention IN (SELECT mention_id FROM unresolved UNION SELECT mention_id FROM changed)
           OR r.right_mention IN (SELECT mention_id FROM unresolved UNION SELECT mention_id FROM changed)
           OR (r.kind = 'conflict' AND (r.left_mention IN (SELECT mention_id FROM cluster)
                                        OR r.right_mention IN (SELECT mention_id FROM cluster))))
      AND NOT EXISTS (SELECT FROM doubt d WHERE d.left_mention = r.left_mention AND d.right_mention = r.right_mention)`.execute(
    tx,
  );
  await sql`
    INSERT INTO identity.review AS standing (kind, status, left_mention, right_mention, weight, vector, opened_run)
    SELECT d.kind, 'open', d.left_mention, d.right_mention, d.weight, d.vector, ${runId}::bigint FROM doubt d
    ON CONFLICT (left_mention, right_mention) DO UPDATE SET
      kind = excluded.kind, weight = excluded.weight, vector = excluded.vector,
      status = CASE WHEN standing.status = 'withdrawn' THEN 'open' ELSE standing.status END,
      closed_at = CASE WHEN standing.status = 'withdrawn' THEN NULL ELSE standing.closed_at END
    WHERE standing.status = 'withdrawn' OR (standing.kind, standing.weight, standing.vector)
          IS DISTINCT FROM (excluded.kind, excluded.weight, excluded.vector)`.execute(tx);
}
