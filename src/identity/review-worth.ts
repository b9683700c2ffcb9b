import { sql, type Transaction } from 'kysely';
import type { DB } from '../schema/database.ts';

/**
 * Writes down what hangs on each open review, and where it is: pages of the queue are ordered by the one, and scopes
 * look at the other. It changes with every night, so a night ends with it, and so does a decision.
 *
 * After: of each open review, the open anomalies of its persons' records, the benefits that they draw, the divisions
 * that its persons are told of, and the departments whose records it is about.
 */
export async function weighReviews(tx: Transaction<DB>): Promise<void> {
  await sql`
    CREATE TEMPORARY TABLE review_side ON COMMIT DROP AS
    SELECT r.review_id, s.mention_id, l.person_id, m.feed, m.division, m.registered_division
    FROM identity.review r
    CROSS JOIN LATERAL (VALUES (r.left_mention), (r.right_mention)) AS s (mention_id)
    JOIN identity.mention m ON m.mention_id = s.mention_id
    LEFT JOIN identity.link l ON l.mention_id = s.mention_id
    WHERE r.status = 'open'`.execute(tx);
  await sql`
    CREATE TEMPORARY TABLE review_record ON COMMIT DROP AS
    SELECT p.person_id, m.feed, m.source_key, m.role, m.division, m.registered_division
    FROM (SELECT DISTINCT person_id FROM review_side WHERE person_id IS NOT NULL) p
    JOIN identity.link l USING (person_id) JOIN identity.mention m USING (mention_id) WHERE m.active`.execute(
    tx,
  );
  await sql`ANALYZE review_side, review_record`.execute(tx);
  await sql`
    WITH worth AS (
      SELECT r.person_id, count(DISTINCT a.anomaly_id)::integer AS anomalies,
             (count(DISTINCT s.source_key) + count(DISTINCT b.source_key))::integer AS benefits
      FROM review_record r
      LEFT JOIN anomalies.anomaly a ON a.feed = r.feed AND a.source_key = r.source_key
        AND (a.role IS NULL OR a.role = r.role) AND a.status NOT IN ('resolved', 'dismissed')
      LEFT JOIN registry.social_insurance s ON r.feed = 'social_insurance' AND s.source_key = r.source_key
        AND s.benefit_status = '1'
      LEFT JOIN registry.subsistence_allowance b ON r.feed = 'subsistence_allowance' AND b.source_key = r.source_key
      GROUP BY r.person_id),
    place AS (
      SELECT s.review_id, d.division
      FROM review_side s
      LEFT JOIN review_record o USING (person_id)
      LEFT JOIN population.residence h ON h.person_id = s.person_id AND h.until IS NULL
      CROSS JOIN LATERAL (VALUES (s.division), (s.registered_division), (o.division), (o.registered_division),
                                 (h.living_division), (h.registered_division)) AS d (division)
      WHERE d.division IS NOT NULL),
    told AS (
      SELECT i.review_id,
             (SELECT coalesce(sum(w.anomalies), 0)::integer FROM worth w WHERE w.person_id = ANY (i.persons)) AS anomalies,
             (SELECT coalesce(sum(w.benefits), 0)::integer FROM worth w WHERE w.person_id = ANY (i.persons)) AS benefits,
             i.departments, coalesce(p.divisions, '{}') AS divisions
      FROM (SELECT s.review_id, array_agg(DISTINCT s.person_id) AS persons,
                   array_agg(DISTINCT f.department ORDER BY f.department) AS departments
            FROM review_side s JOIN reference.feed f USING (feed) GROUP BY s.review_id) i
      LEFT JOIN (SELECT review_id, array_agg(DISTINCT division ORDER BY division) AS divisions
                 FROM place GROUP BY review_id) p USING (review_id))
    UPDATE identity.review r
    SET anomalies = t.anomalies, benefits = t.benefits, departments = t.departments, divisions = t.divisions
    FROM told t
    WHERE r.review_id = t.review_id
      AND (r.anomalies, r.benefits, r.departments, r.divisions)
          IS DISTINCT FROM (t.anomalies, t.benefits, t.departments, t.divisions)`.execute(tx);
  await sql`DROP TABLE review_side, review_record`.execute(tx);
}
