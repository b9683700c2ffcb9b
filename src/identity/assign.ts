import { sql, type Transaction } from 'kysely';
import type { DB } from '../schema/database.ts';
import type { RunId } from '../schema/ids.ts';

/**
 * Decides which person each cluster is, so that ids live as long as they can.
 *
 * Before: `cluster` labels every mention looked at; `person <id>` is the label of a person outside the scope.
 * After: `assigned` gives each label one person, and where that is a new one, the person exists. A person whose
 * mentions fell apart stays with the label of its oldest link, or outside the scope when it has mentions there;
 * a label that holds several persons keeps the oldest of them.
 */
export async function assignPersons(tx: Transaction<DB>, runId: RunId): Promise<void> {
  await sql`
    CREATE TEMPORARY TABLE heir ON COMMIT DROP AS
    SELECT DISTINCT ON (c.person_id) c.person_id, c.label FROM cluster c
    WHERE c.person_id IS NOT NULL AND NOT EXISTS (
      SELECT FROM identity.link l JOIN identity.mention m USING (mention_id)
      WHERE l.person_id = c.person_id AND m.active
        AND NOT EXISTS (SELECT FROM cluster i WHERE i.mention_id = l.mention_id))
    ORDER BY c.person_id, c.linked_run, c.mention_id`.execute(tx);
  await sql`
    CREATE TEMPORARY TABLE assigned ON COMMIT DROP AS
    SELECT c.label, h.person_id IS NULL AND c.label NOT LIKE 'person %' AS is_new,
           CASE WHEN c.label LIKE 'person %' THEN substr(c.label, 8)::bigint
                ELSE coalesce(h.person_id, nextval('identity.person_person_id_seq')) END AS person_id
    FROM (SELECT label, min(mention_id) AS oldest FROM cluster GROUP BY label ORDER BY oldest) c
    LEFT JOIN (SELECT label, min(person_id) AS person_id FROM heir GROUP BY label) h USING (label)`.execute(
    tx,
  );
  await sql`ANALYZE heir, assigned`.execute(tx);
  await sql`
    INSERT INTO identity.person (person_id, created_run) OVERRIDING SYSTEM VALUE
    SELECT person_id, ${runId}::bigint FROM assigned WHERE is_new`.execute(tx);
}

/**
 * Writes what became of persons. Before: `heir` and `assigned` stand, links are as they were. After: a person
 * that lost its place redirects to the one that took it; every change is an event.
 */
export async function recordPersonEvents(tx: Transaction<DB>, runId: RunId): Promise<void> {
  await sql`
    CREATE TEMPORARY TABLE merged ON COMMIT DROP AS
    SELECT a.person_id, h.person_id AS other_person_id
    FROM heir h JOIN assigned a USING (label) WHERE h.person_id <> a.person_id`.execute(tx);
  await sql`
    UPDATE identity.person p SET merged_into = m.person_id
    FROM merged m WHERE p.person_id = m.other_person_id OR p.merged_into = m.other_person_id`.execute(tx);
  // A mention that comes out of another person, which lives on elsewhere: the new person split off from it,
  // or, when its person existed before, it moved over.
  await sql`
    INSERT INTO identity.person_event (kind, person_id, other_person_id, run_id)
    SELECT 'merged', person_id, other_person_id, ${runId}::bigint FROM merged
    UNION ALL
    SELECT DISTINCT CASE WHEN a.is_new THEN 'split' ELSE 'moved' END, a.person_id, c.person_id, ${runId}::bigint
    FROM cluster c JOIN assigned a USING (label) LEFT JOIN heir h ON h.person_id = c.person_id
    WHERE c.person_id IS NOT NULL AND c.person_id <> a.person_id AND h.label IS DISTINCT FROM c.label
    UNION ALL
    SELECT 'created', a.person_id, NULL, ${runId}::bigint
    FROM assigned a
    WHERE a.is_new AND NOT EXISTS (SELECT FROM cluster c WHERE c.label = a.label AND c.person_id IS NOT NULL)`.execute(
    tx,
  );
}

/** Writes the links that differ. After: every mention of the scope is linked to its label's person. */
export async function writeLinks(tx: Transaction<DB>, runId: RunId, modelVersion: number): Promise<void> {
  await sql`
    UPDATE identity.link l SET person_id = m.person_id
    FROM merged m WHERE l.person_id = m.other_person_id
      AND NOT EXISTS (SELECT FROM cluster c WHERE c.mention_id = l.mention_id)`.execute(tx);
  await sql`
    INSERT INTO identity.link AS standing (mention_id, person_id, id_number, method, weight, vector, model_version, linked_run)
    SELECT c.mention_id, a.person_id, c.id_number, c.method, c.weight, c.vector,
           CASE WHEN c.vector IS NOT NULL THEN ${modelVersion}::integer END, ${runId}::bigint
    FROM cluster c JOIN assigned a USING (label)
    ON CONFLICT (mention_id) DO UPDATE SET
      person_id = excluded.person_id, id_number = excluded.id_number, method = excluded.method,
      weight = excluded.weight, vector = excluded.vector, model_version = excluded.model_version,
      linked_run = CASE WHEN standing.person_id = excluded.person_id THEN standing.linked_run ELSE excluded.linked_run END,
      linked_at = CASE WHEN standing.person_id = excluded.person_id THEN standing.linked_at ELSE excluded.linked_at END
    WHERE (standing.person_id, standing.method, standing.id_number, standing.weight, standing.vector)
      IS DISTINCT FROM (excluded.person_id, excluded.method, excluded.id_number, excluded.weight, excluded.vector)`.execute(
    tx,
  );
}
