import { sql, type Transaction } from 'kysely';
import type { DB } from '../schema/database.ts';
import type { RunId } from '../schema/ids.ts';

/**
 * Writes down what share of their mentions the feeds have linked, for rule FD06.
 *
 * Before: `changed` names the mentions that changed, links are as the run leaves them: every active mention has one.
 * After: ops.feed_link_share has one row of this run for each feed with a changed mention: its active mentions, and
 * how many of them are linked. A mention that is a person by itself, or that contradicts its number, counts as not
 * linked. Where nothing changed, nothing is written.
 */
export async function recordLinkShares(tx: Transaction<DB>, runId: RunId): Promise<void> {
  const { rows } = await sql<{ feed: string }>`
    SELECT DISTINCT feed FROM changed WHERE NOT is_rescored`.execute(tx);
  if (rows.length === 0) return;
  // Those that are not linked are few: counted from there, not every mention is looked up.
  await sql`
    INSERT INTO ops.feed_link_share (run_id, business_date, feed, mentions, linked)
    SELECT r.run_id, r.business_date, f.feed, f.mentions, f.mentions - coalesce(u.mentions, 0)
    FROM ops.run r
    CROSS JOIN (SELECT feed, count(*) AS mentions FROM identity.mention
                WHERE active AND feed = ANY (${rows.map(({ feed }) => feed)}) GROUP BY feed) f
    LEFT JOIN (SELECT m.feed, count(*) AS mentions
               FROM identity.link l JOIN identity.mention m USING (mention_id)
               WHERE l.method IN ('single', 'name_conflict') AND m.active GROUP BY m.feed) u USING (feed)
    WHERE r.run_id = ${runId}`.execute(tx);
}
