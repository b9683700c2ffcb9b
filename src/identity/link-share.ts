import { sql, type Transaction } from 'kysely';
import type { DB } from '../schema/database.ts';
import type { RunId } from '../schema/ids.ts';

/**
 * Writes down what share of their mentions the feeds have linked, for rule FD06.
 *
 * Before: `changed` names the mentions that changed, links are as the run leaves them. After: ops.feed_link_share has
 * one row of this run for each feed with a changed mention: its active mentions, and how many of them are linked.
 * A mention that is a person by itself, or that contradicts its number, counts as not linked. Where nothing
 * changed, nothing is written.
 */
export async function recordLinkShares(tx: Transaction<DB>, runId: RunId): Promise<void> {
  await sql`
    INSERT INTO ops.feed_link_share (run_id, business_date, feed, mentions, linked)
    SELECT r.run_id, r.business_date, m.feed, count(*),
           count(*) FILTER (WHERE l.method NOT IN ('single', 'name_conflict'))
    FROM ops.run r
    CROSS JOIN identity.mention m
    LEFT JOIN identity.link l USING (mention_id)
    WHERE r.run_id = ${runId} AND m.active
      AND m.feed IN (SELECT DISTINCT own.feed FROM changed JOIN identity.mention own USING (mention_id))
    GROUP BY r.run_id, m.feed`.execute(tx);
}
