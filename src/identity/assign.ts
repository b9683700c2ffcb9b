import { type RawBuilder, sql, type Transaction } from 'kysely';
import type { DB } from '../schema/database.ts';
import type { RunId } from '../schema/ids.ts';
import { loadUnindexed } from '../schema/warehouse/bulk.ts';
import { methodOfKind } from './clusters.ts';

/**
 * Decides which person each cluster is, so that ids live as long as they can.
 *
 * Before: `cluster` labels every mention looked at; `person <id>` is the label of a person outside the scope.
 * After: `assigned` gives each label one person, and where that is a new one, the person exists; new ones have their
 * numbers in the order of their oldest mentions. A person whose mentions fell apart stays with the label of its oldest
 * link, or outside the scope when it has mentions there; a label that holds several persons keeps the oldest of them,
 * and another lives on where it has other mentions. Mentions that came to a person by a merger alone do not hold it: a
 * label that holds none, but mentions of a person that was merged away, gets that person back.
 *
 * @param isFirst nothing is linked yet: the plain numbers that nobody met are labels too
 */
export async function assignPersons(tx: Transaction<DB>, runId: RunId, isFirst: boolean): Promise<void> {
  await sql`
    CREATE TEMPORARY TABLE heir ON COMMIT DROP AS
    WITH elsewhere AS (
      SELECT DISTINCT p.person_id
      FROM (SELECT DISTINCT person_id FROM cluster) p JOIN identity.link l USING (person_id)
      WHERE l.stands AND NOT EXISTS (SELECT FROM cluster i WHERE i.mention_id = l.mention_id)),
    came AS (
      SELECT DISTINCT f.mention_id, p.merged_into FROM identity.former_link f JOIN identity.person p USING (person_id)
      WHERE p.merged_into IS NOT NULL),
    standing AS (
      SELECT c.person_id, c.label, c.linked_run, c.mention_id,
             bool_or(came.mention_id IS NULL) OVER (PARTITION BY c.person_id, c.label) AS is_own
      FROM cluster c LEFT JOIN came ON came.mention_id = c.mention_id AND came.merged_into = c.person_id
      WHERE c.person_id IS NOT NULL AND NOT EXISTS (SELECT FROM elsewhere e WHERE e.person_id = c.person_id))
    SELECT DISTINCT ON (person_id) person_id, label FROM standing WHERE is_own
    ORDER BY person_id, linked_run, mention_id`.execute(tx);
  await moveOutHeirs(tx);
  await findFormerHomes(tx);
  await sql`
    CREATE TEMPORARY TABLE assigned ON COMMIT DROP AS
    SELECT label, is_inside AND coalesce(heir_id, former_id) IS NULL AS is_new,
           is_inside AND heir_id IS NULL AND former_id IS NOT NULL AS is_revived,
           CASE WHEN is_inside THEN coalesce(heir_id, former_id, nextval('identity.person_person_id_seq'))
                ELSE substr(label, 8)::bigint END AS person_id
    FROM (SELECT c.label, c.label NOT LIKE 'person %' AS is_inside, h.person_id AS heir_id, f.person_id AS former_id
          FROM (SELECT label, min(mention_id) AS oldest FROM cluster GROUP BY label
                ${isFirst ? unmetNumbers : sql``}) c
          LEFT JOIN (SELECT label, min(person_id) AS person_id FROM heir GROUP BY label) h USING (label)
          LEFT JOIN (SELECT label, min(person_id) AS person_id FROM former_home GROUP BY label) f USING (label)
          ORDER BY c.oldest OFFSET 0) in_order`.execute(tx);
  await sql`ANALYZE heir, assigned`.execute(tx);
  const addPersons = async (): Promise<void> => {
    await sql`
      INSERT INTO identity.person (person_id, created_run) OVERRIDING SYSTEM VALUE
      SELECT person_id, ${runId}::bigint FROM assigned WHERE is_new`.execute(tx);
  };
  if (isFirst) await loadUnindexed(tx, 'identity.person', addPersons);
  else await addPersons();
}

const unmetNumbers = sql`
  UNION ALL
  SELECT id_number, oldest FROM identity.plain_number p
  WHERE NOT EXISTS (SELECT FROM cluster c WHERE c.label = p.id_number)`;

/** A person that would be merged away, but has mentions under a label that is nobody's, lives on there. */
async function moveOutHeirs(tx: Transaction<DB>): Promise<void> {
  await sql`
    WITH displaced AS (
      SELECT h.person_id, h.label
      FROM heir h JOIN (SELECT label, min(person_id) AS person_id FROM heir GROUP BY label) oldest USING (label)
      WHERE h.label LIKE 'person %' OR oldest.person_id < h.person_id),
    refuge AS (
      SELECT DISTINCT ON (c.person_id) c.person_id, c.label
      FROM displaced d JOIN cluster c USING (person_id)
      WHERE c.label <> d.label AND c.label NOT LIKE 'person %'
        AND NOT EXISTS (SELECT FROM heir o WHERE o.label = c.label)
      ORDER BY c.person_id, c.linked_run, c.mention_id)
    UPDATE heir h SET label = r.label
    FROM (SELECT label, min(person_id) AS person_id FROM refuge GROUP BY label) r
    WHERE h.person_id = r.person_id`.execute(tx);
}

/**
 * After: temporary table `former_home` has the label of each person that was merged away, when a mention that it had
 * is looked at: where the oldest of its links is now.
 */
async function findFormerHomes(tx: Transaction<DB>): Promise<void> {
  await sql`
    CREATE TEMPORARY TABLE former_home ON COMMIT DROP AS
    SELECT person_id, label FROM (
      SELECT DISTINCT ON (f.person_id) f.person_id, c.label
      FROM (SELECT DISTINCT f.person_id FROM cluster JOIN identity.former_link f USING (mention_id)) touched
      JOIN identity.person p USING (person_id)
      JOIN identity.former_link f USING (person_id)
      JOIN identity.mention m ON m.mention_id = f.mention_id
      LEFT JOIN cluster c ON c.mention_id = f.mention_id
      WHERE p.merged_into IS NOT NULL AND m.active
      ORDER BY f.person_id, f.linked_run, f.mention_id) oldest
    WHERE label IS NOT NULL`.execute(tx);
  await sql`ANALYZE former_home`.execute(tx);
}

/**
 * Writes what became of persons. Before: `heir` and `assigned` stand, links are as they were. After: a person
 * that lost its place redirects to the one that took it, and its mentions are remembered; one that has its mentions
 * back redirects no more; every change is an event.
 *
 * @param isFirst nothing is linked yet: every person is a new one
 */
export async function recordPersonEvents(tx: Transaction<DB>, runId: RunId, isFirst: boolean): Promise<void> {
  if (isFirst) {
    await loadUnindexed(tx, 'identity.person_event', () => tellCreated(tx, runId));
    return;
  }
  await sql`
    CREATE TEMPORARY TABLE merged ON COMMIT DROP AS
    SELECT a.person_id, h.person_id AS other_person_id
    FROM heir h JOIN assigned a USING (label) WHERE h.person_id <> a.person_id`.execute(tx);
  await sql`
    UPDATE identity.person p SET merged_into = m.person_id
    FROM merged m WHERE p.person_id = m.other_person_id OR p.merged_into = m.other_person_id`.execute(tx);
  await sql`
    INSERT INTO identity.former_link (mention_id, person_id, linked_run)
    SELECT l.mention_id, l.person_id, l.linked_run
    FROM merged m JOIN identity.link l ON l.person_id = m.other_person_id
    ON CONFLICT DO NOTHING`.execute(tx);
  await sql`
    UPDATE identity.person p SET merged_into = nullif(a.person_id, p.person_id)
    FROM former_home f JOIN assigned a USING (label)
    WHERE p.person_id = f.person_id AND p.merged_into <> a.person_id`.execute(tx);
  await sql`
    DELETE FROM identity.former_link f USING assigned a WHERE a.is_revived AND f.person_id = a.person_id`.execute(
    tx,
  );
  // A mention that comes out of another person, which lives on elsewhere: the new person, or one that is back,
  // split off from it; or, when its person lived before, it moved over.
  await sql`
    INSERT INTO identity.person_event (kind, person_id, other_person_id, run_id)
    SELECT 'merged', person_id, other_person_id, ${runId}::bigint FROM merged
    UNION ALL
    SELECT DISTINCT CASE WHEN a.is_new OR a.is_revived THEN 'split' ELSE 'moved' END, a.person_id, c.person_id, ${runId}::bigint
    FROM cluster c JOIN assigned a USING (label) LEFT JOIN heir h ON h.person_id = c.person_id
    WHERE c.person_id IS NOT NULL AND c.person_id <> a.person_id AND h.label IS DISTINCT FROM c.label`.execute(
    tx,
  );
  await tellCreated(tx, runId);
}

/** A new person none of whose mentions was anybody's before. */
async function tellCreated(tx: Transaction<DB>, runId: RunId): Promise<void> {
  await sql`
    INSERT INTO identity.person_event (kind, person_id, run_id)
    SELECT 'created', a.person_id, ${runId}::bigint
    FROM assigned a
    WHERE a.is_new AND NOT EXISTS (SELECT FROM cluster c WHERE c.label = a.label AND c.person_id IS NOT NULL)`.execute(
    tx,
  );
}

/**
 * Writes the links that differ. After: every mention of the scope is linked to its label's person, and what was
 * linked to a merged person follows it. A link that keeps its person keeps the run and the time of it.
 *
 * @param isFirst nothing is linked yet
 */
export async function writeLinks(
  tx: Transaction<DB>,
  runId: RunId,
  modelVersion: number,
  isFirst: boolean,
): Promise<void> {
  const version = sql`CASE WHEN c.vector IS NOT NULL THEN ${modelVersion}::integer END`;
  if (isFirst) {
    await loadUnindexed(tx, 'identity.link', () => addFirstLinks(tx, runId, version));
    return;
  }
  await sql`
    UPDATE identity.link l SET person_id = m.person_id
    FROM merged m WHERE l.person_id = m.other_person_id
      AND NOT EXISTS (SELECT FROM cluster c WHERE c.mention_id = l.mention_id)`.execute(tx);
  await sql`
    UPDATE identity.link l SET
      person_id = a.person_id, id_number = c.id_number, method = c.method,
      weight = c.weight, vector = c.vector, model_version = ${version},
      linked_run = CASE WHEN l.person_id = a.person_id THEN l.linked_run ELSE ${runId}::bigint END,
      linked_at = CASE WHEN l.person_id = a.person_id THEN l.linked_at ELSE now() END
    FROM cluster c JOIN assigned a USING (label)
    WHERE l.mention_id = c.mention_id
      AND (l.person_id, l.method, l.id_number, l.weight, l.vector, l.model_version)
          IS DISTINCT FROM (a.person_id, c.method, c.id_number, c.weight, c.vector, ${version})`.execute(tx);
  await addLinks(tx, runId, version);
}

/** Every active mention is in `cluster`, or has a plain number, which is its label. */
async function addFirstLinks(
  tx: Transaction<DB>,
  runId: RunId,
  modelVersion: RawBuilder<unknown>,
): Promise<void> {
  await sql`
    INSERT INTO identity.link (mention_id, person_id, id_number, method, weight, vector, model_version, linked_run)
    SELECT m.mention_id, a.person_id, m.id_number, coalesce(c.method, ${methodOfKind}), c.weight, c.vector, ${modelVersion},
           ${runId}::bigint
    FROM identity.mention m LEFT JOIN cluster c USING (mention_id)
    JOIN assigned a ON a.label = coalesce(c.label, m.id_number)
    WHERE m.active`.execute(tx);
}

/** A mention that was linked before knows by which run; all others are new, and nothing need be looked up. */
async function addLinks(tx: Transaction<DB>, runId: RunId, modelVersion: RawBuilder<unknown>): Promise<void> {
  await sql`
    INSERT INTO identity.link (mention_id, person_id, id_number, method, weight, vector, model_version, linked_run)
    SELECT c.mention_id, a.person_id, c.id_number, c.method, c.weight, c.vector, ${modelVersion}, ${runId}::bigint
    FROM cluster c JOIN assigned a USING (label)
    WHERE c.linked_run IS NULL`.execute(tx);
}
