import { sql, type Transaction } from 'kysely';
import type { DB } from '../schema/database.ts';

/**
 * The mentions whose document number was touched.
 *
 * Before: `bound_number` stands. After: temporary table `changed` names every mention that changed since `afterRun`,
 * and, where the model's weights are others than before, every one that the model decides upon (`is_rescored`).
 *
 * `scope` has each active mention with a document number that a changed mention has, or until now was linked by, or
 * that a human tied to one of these: its features, and the person it is linked to now.
 *
 * @param rescore whether the weights are others
 */
export async function buildScope(tx: Transaction<DB>, afterRun: number, rescore: boolean): Promise<void> {
  await sql`
    CREATE TEMPORARY TABLE changed ON COMMIT DROP AS
    SELECT mention_id, feed, source_key, role, household_code, id_number, active, changed_run <= ${afterRun} AS is_rescored
    FROM identity.mention
    WHERE changed_run > ${afterRun} OR (${rescore} AND active AND id_number IS NULL)`.execute(tx);
  await sql`
    CREATE TEMPORARY TABLE touched_number ON COMMIT DROP AS
    SELECT id_number FROM changed WHERE id_number IS NOT NULL
    UNION
    SELECT l.id_number FROM changed c JOIN identity.link l USING (mention_id) WHERE l.id_number IS NOT NULL`.execute(
    tx,
  );
  await addBoundNumbers(tx);
  await sql`ANALYZE changed, touched_number`.execute(tx);
  // Whoever is looked up in order finds neighbours on one page.
  await sql`
    CREATE TEMPORARY TABLE scope ON COMMIT DROP AS
    SELECT f.*, t.person_id, t.linked_run
    FROM (SELECT c.mention_id, l.person_id, l.linked_run
          FROM changed c LEFT JOIN identity.link l USING (mention_id) WHERE c.id_number IS NOT NULL
          UNION
          SELECT l.mention_id, l.person_id, l.linked_run
          FROM touched_number n JOIN identity.link l ON l.id_number = n.id_number
          ORDER BY mention_id) t
    JOIN identity.feature f USING (mention_id)
    WHERE f.id_number IS NOT NULL`.execute(tx);
  await sql`ANALYZE scope (mention_id, id_number)`.execute(tx);
}

/**
 * The same when nothing is linked yet: `changed` and `scope` leave out the mentions of plain numbers, which become
 * persons all at once ({@link findPlainNumbers}).
 */
export async function buildFirstScope(tx: Transaction<DB>): Promise<void> {
  await sql`
    CREATE TEMPORARY TABLE changed ON COMMIT DROP AS
    SELECT mention_id, feed, role, id_number, active, false AS is_rescored FROM identity.mention m
    WHERE active AND NOT EXISTS (SELECT FROM identity.plain_number p WHERE p.id_number = m.id_number)`.execute(
    tx,
  );
  await sql`
    CREATE TEMPORARY TABLE scope ON COMMIT DROP AS
    SELECT f.*, NULL::bigint AS person_id, NULL::bigint AS linked_run
    FROM changed c JOIN identity.feature f USING (mention_id) WHERE f.id_number IS NOT NULL`.execute(tx);
  await sql`ANALYZE changed, scope (mention_id, id_number)`.execute(tx);
}

/**
 * Brings the mentions of plain numbers that somebody meets into `cluster`, where the steps that follow look for them.
 *
 * Before: `pair` stands.
 */
export async function addMetNumbers(tx: Transaction<DB>): Promise<void> {
  await sql`
    INSERT INTO cluster (mention_id, id_number, label, method, leads)
    SELECT m.mention_id, m.id_number, m.id_number, ${methodOfKind}, m.name IS NOT NULL
    FROM (SELECT DISTINCT p.id_number
          FROM pair JOIN identity.mention o ON o.mention_id = pair.other_id JOIN identity.plain_number p USING (id_number)) met
    JOIN identity.mention m USING (id_number) WHERE m.active`.execute(tx);
  await sql`ANALYZE cluster`.execute(tx);
}

/** How a number of each kind links the mentions that have it; reads `id_kind`. */
export const methodOfKind = sql.raw(
  `CASE id_kind WHEN 'resident_15' THEN 'upgraded_id' WHEN 'resident' THEN 'valid_id' ELSE 'other_document' END`,
);

/** The numbers that humans tied to a touched number, or to a changed mention, are touched too. */
async function addBoundNumbers(tx: Transaction<DB>): Promise<void> {
  for (let added = 1; added > 0; ) {
    const result = await sql`
      INSERT INTO touched_number
      SELECT DISTINCT other.id_number
      FROM (SELECT n.group_id FROM bound_number n JOIN touched_number USING (id_number)
            UNION
            SELECT b.group_id FROM bound b JOIN changed USING (mention_id)) touched
      JOIN bound_number other USING (group_id)
      WHERE NOT EXISTS (SELECT FROM touched_number t WHERE t.id_number = other.id_number)`.execute(tx);
    added = Number(result.numAffectedRows ?? 0);
  }
}

/**
 * A valid document number and a compatible name make the same person; a human's word goes before both.
 *
 * After: temporary table `cluster` gives every mention of the scope a label; mentions with one label are one
 * person. The label depends on the mentions alone, not on the order in which they came; so does `leads`, which
 * says whose name speaks for the label.
 *
 * Under a number with several names, the name of the household register leads, then the one most records
 * give, then the readable one, then by spelling; every name goes with the first compatible one in that order.
 */
export async function labelClusters(tx: Transaction<DB>): Promise<void> {
  await sql`
    CREATE TEMPORARY TABLE contested_name ON COMMIT DROP AS
    WITH used AS (
      SELECT s.id_number, s.name, bool_or(s.feed = 'household_register') AS registered, count(*) AS mentions
      FROM scope s WHERE s.name IS NOT NULL GROUP BY s.id_number, s.name),
    contested AS (
      SELECT u.* FROM used u JOIN (SELECT id_number FROM used GROUP BY id_number HAVING count(*) > 1) several USING (id_number)),
    ranked AS (
      SELECT c.id_number, c.name, f.pinyin, f.shape, f.pattern,
             row_number() OVER (PARTITION BY c.id_number
               ORDER BY c.registered DESC, c.mentions DESC, (f.pattern IS NULL) DESC, c.name) AS place
      FROM contested c JOIN identity.name_form f USING (name))
    SELECT DISTINCT ON (own.id_number, own.name) own.id_number, own.name, lead.name AS lead_name, lead.place
    FROM ranked own JOIN ranked lead
      ON lead.id_number = own.id_number AND lead.place <= own.place
     AND (lead.pinyin = own.pinyin OR lead.shape = own.shape
          OR lead.name LIKE own.pattern OR own.name LIKE lead.pattern)
    ORDER BY own.id_number, own.name, lead.place`.execute(tx);
  await sql`ANALYZE contested_name`.execute(tx);
  await sql`
    CREATE TEMPORARY TABLE cluster ON COMMIT DROP AS
    SELECT s.mention_id, s.person_id, s.linked_run, s.id_number,
           CASE WHEN coalesce(n.place, 1) = 1 THEN s.id_number
                ELSE s.id_number || ' ' || n.lead_name END AS label,
           CASE WHEN n.place > 1 THEN 'name_conflict' ELSE ${methodOfKind} END AS method,
           coalesce(s.name = n.lead_name, s.name IS NOT NULL) AS leads, NULL::float8 AS weight, NULL::bigint AS vector
    FROM scope s LEFT JOIN contested_name n ON n.id_number = s.id_number AND n.name = s.name`.execute(tx);
  await sql`ANALYZE cluster`.execute(tx);
  await joinBound(tx);
  await partApart(tx);
}

/** Labels that hold mentions of one bound group become the smallest of them. */
async function joinBound(tx: Transaction<DB>): Promise<void> {
  for (let moved = 1; moved > 0; ) {
    const result = await sql`
      UPDATE cluster c SET label = smaller.label, method = 'decision'
      FROM (SELECT own.label AS old, min(shared.label COLLATE "C") AS label
            FROM (SELECT b.group_id, min(k.label COLLATE "C") AS label
                  FROM bound b JOIN cluster k USING (mention_id) GROUP BY b.group_id) shared
            JOIN bound b USING (group_id) JOIN cluster own USING (mention_id)
            GROUP BY own.label) smaller
      WHERE c.label = smaller.old AND smaller.label < c.label COLLATE "C"`.execute(tx);
    moved = Number(result.numAffectedRows ?? 0);
  }
  // A name that contradicts its number, but that a human spoke for, is in doubt no longer.
  await sql`
    UPDATE cluster c SET method = 'decision'
    WHERE c.method = 'name_conflict'
      AND EXISTS (SELECT FROM bound b JOIN cluster k USING (mention_id) WHERE k.label = c.label)`.execute(tx);
}

/**
 * Takes mentions out of labels in which a human set them apart: of two, the later record goes, with all that
 * is bound to it; whatever else is set apart from the same earlier record goes with it, and is looked at again.
 */
async function partApart(tx: Transaction<DB>): Promise<void> {
  for (let moved = 1; moved > 0; ) {
    const result = await sql`
      WITH unit AS (
        SELECT c.mention_id, c.label, coalesce(b.group_id, c.mention_id) AS unit
        FROM cluster c LEFT JOIN bound b USING (mention_id)
        WHERE EXISTS (SELECT FROM apart a WHERE a.mention_id = c.mention_id)),
      conflict AS (
        SELECT DISTINCT l.label, l.unit AS earlier, r.unit AS later
        FROM unit l JOIN apart a USING (mention_id) JOIN unit r ON r.mention_id = a.other_id
        WHERE r.label = l.label AND l.unit < r.unit),
      going AS (
        SELECT DISTINCT label, earlier, later FROM conflict
        JOIN (SELECT label, min(earlier) AS earlier FROM conflict GROUP BY label) first USING (label, earlier))
      UPDATE cluster c SET label = g.label || ' without ' || g.earlier, method = 'decision'
      FROM going g
      WHERE c.label = g.label
        AND (c.mention_id = g.later OR c.mention_id IN (SELECT mention_id FROM bound WHERE group_id = g.later))`.execute(
      tx,
    );
    moved = Number(result.numAffectedRows ?? 0);
  }
}
