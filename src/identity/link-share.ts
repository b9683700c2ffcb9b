import { sql, type Transaction } from 'kysely';
import type { DB } from '../schema/database.ts';
import type { RunId } from '../schema/ids.ts';
import { sharedOut } from '../schema/warehouse/bulk.ts';

/**
 * Notes how many mentions of each feed came to stand, or went, since the last reconciliation.
 *
 * Before: `changed` names the mentions that changed; links are as they were. After: temporary table `come_and_gone` has
 * each feed with a changed mention and by how many more (or fewer) mentions it stands; links say which mentions stand.
 *
 * @param isFirst nothing is linked yet: every active mention came
 */
export async function noteStanding(tx: Transaction<DB>, isFirst: boolean): Promise<void> {
  if (isFirst) {
    await sharedOut(
      tx,
      '1MB',
      sql`
      CREATE TEMPORARY TABLE come_and_gone ON COMMIT DROP AS
      SELECT feed, count(*) AS more FROM identity.mention WHERE active GROUP BY feed`,
    );
    return;
  }
  await sql`
    CREATE TEMPORARY TABLE come_and_gone ON COMMIT DROP AS
    SELECT c.feed, sum(c.active::integer - (l.stands IS TRUE)::integer) AS more
    FROM changed c LEFT JOIN identity.link l USING (mention_id) WHERE NOT c.is_rescored GROUP BY c.feed`.execute(
    tx,
  );
  await sql`
    UPDATE identity.link l SET stands = c.active
    FROM changed c WHERE c.mention_id = l.mention_id AND c.active <> l.stands`.execute(tx);
}

/**
 * Writes down what share of their mentions the feeds have linked, for rule FD06.
 *
 * Before: `come_and_gone` stands, links are as the run leaves them: every active mention has one. After:
 * ops.feed_link_share has one row of this run for each feed with a changed mention: its active mentions, and
 * how many of them are linked. A mention that is a person by itself, or that contradicts its number, counts as not
 * linked. Where nothing changed, nothing is written.
 */
export async function recordLinkShares(tx: Transaction<DB>, runId: RunId): Promise<void> {
  // Those that are not linked are few: counted from there, not every mention is looked up.
  await sql`
    INSERT INTO ops.feed_link_share (run_id, business_date, feed, mentions, linked)
    SELECT r.run_id, r.business_date, f.feed, f.mentions, f.mentions - coalesce(u.mentions, 0)
    FROM ops.run r
    CROSS JOIN (SELECT c.feed, c.more + coalesce(before.mentions, 0) AS mentions
                FROM come_and_gone c LEFT JOIN LATERAL (
                  SELECT s.mentions FROM ops.feed_link_share s WHERE s.feed = c.feed ORDER BY s.run_id DESC LIMIT 1) before
                ON true) f
    LEFT JOIN (SELECT m.feed, count(*) AS mentions
               FROM identity.link l JOIN identity.mention m USING (mention_id)
               WHERE l.method IN ('single', 'name_conflict') AND l.stands GROUP BY m.feed) u USING (feed)
    WHERE r.run_id = ${runId} AND f.mentions > 0`.execute(tx);
}
