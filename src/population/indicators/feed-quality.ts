import { sql, type Transaction } from 'kysely';
import type { DB } from '../../schema/database.ts';
import type { RunId } from '../../schema/ids.ts';

/**
 * Counts what the records of each feed are worth, for reporting.scorecard: mentions with a valid document number,
 * mentions that are linked, persons whom it shares with other feeds and in whom it agrees with them (name, sex, date of
 * birth), and lines of corrections that have come to an end, in time or not.
 *
 * A row that would say what the last one says is not written.
 *
 * Before: identity, the profiles and the corrections are those of the night.
 */
export async function recordFeedQuality(tx: Transaction<DB>, runId: RunId): Promise<void> {
  await sql`
    INSERT INTO population.feed_quality AS known
      (feed, as_of, mentions, valid_id, linked, compared, agreeing, corrections_ended, corrections_on_time, run_id)
    WITH named AS (
      SELECT m.feed, l.person_id, count(*) AS mentions, count(m.id_number) AS valid_id,
             count(*) FILTER (WHERE l.method NOT IN ('single', 'name_conflict')) AS linked
      FROM identity.mention m JOIN identity.link l USING (mention_id)
      WHERE m.active GROUP BY m.feed, l.person_id),
    shared AS (SELECT person_id FROM named GROUP BY person_id HAVING count(*) > 1),
    disputed AS (
      SELECT DISTINCT person_id, unnest(feeds) AS feed FROM population.disagreement
      WHERE attribute IN ('name', 'sex', 'birth_date')),
    counted AS (
      SELECT n.feed, sum(n.mentions)::integer AS mentions, sum(n.valid_id)::integer AS valid_id,
             sum(n.linked)::integer AS linked, count(s.person_id)::integer AS compared,
             (count(s.person_id) FILTER (WHERE d.person_id IS NULL))::integer AS agreeing
      FROM named n LEFT JOIN shared s USING (person_id)
      LEFT JOIN disputed d ON d.person_id = n.person_id AND d.feed = n.feed
      GROUP BY n.feed),
    corrected AS (
      SELECT a.feed, count(*)::integer AS ended,
             (count(*) FILTER (WHERE c.escalated_on IS NULL))::integer AS on_time
      FROM anomalies.correction_line c JOIN anomalies.anomaly a USING (anomaly_id)
      WHERE c.replied_at IS NOT NULL OR c.escalated_on IS NOT NULL OR a.status IN ('resolved', 'dismissed')
      GROUP BY a.feed)
    SELECT n.feed, s.as_of, n.mentions, n.valid_id, n.linked, n.compared, n.agreeing,
           coalesce(c.ended, 0), coalesce(c.on_time, 0), ${runId}
    FROM population.state s CROSS JOIN counted n LEFT JOIN corrected c USING (feed)
    LEFT JOIN LATERAL (
      SELECT * FROM population.feed_quality q WHERE q.feed = n.feed ORDER BY q.as_of DESC LIMIT 1) o ON true
    WHERE s.as_of IS NOT NULL
      AND (n.mentions, n.valid_id, n.linked, n.compared, n.agreeing, coalesce(c.ended, 0), coalesce(c.on_time, 0))
          IS DISTINCT FROM (o.mentions, o.valid_id, o.linked, o.compared, o.agreeing, o.corrections_ended, o.corrections_on_time)
    ON CONFLICT (feed, as_of) DO UPDATE SET
      mentions = excluded.mentions, valid_id = excluded.valid_id, linked = excluded.linked, compared = excluded.compared,
      agreeing = excluded.agreeing, corrections_ended = excluded.corrections_ended,
      corrections_on_time = excluded.corrections_on_time, run_id = excluded.run_id`.execute(tx);
}
