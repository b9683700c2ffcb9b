import { sql, type Transaction } from 'kysely';
import type { DB } from '../schema/database.ts';

/**
 * The mentions whose document number was touched.
 *
 * After: temporary table `changed` names every mention that changed since `afterRun`; `scope` holds each active mention
 * with a document number that a changed mention has, or until now was linked by, with the person it is linked
 * to now.
 */
export async function buildScope(tx: Transaction<DB>, afterRun: number): Promise<void> {
  await sql`
    CREATE TEMPORARY TABLE changed ON COMMIT DROP AS
    SELECT mention_id, id_number FROM identity.mention WHERE changed_run > ${afterRun}`.execute(tx);
  await sql`
    CREATE TEMPORARY TABLE touched_number ON COMMIT DROP AS
    SELECT id_number FROM changed WHERE id_number IS NOT NULL
    UNION
    SELECT l.id_number FROM changed c JOIN identity.link l USING (mention_id) WHERE l.id_number IS NOT NULL`.execute(
    tx,
  );
  await sql`ANALYZE changed, touched_number`.execute(tx);
  await sql`
    CREATE TEMPORARY TABLE scope ON COMMIT DROP AS
    SELECT m.mention_id, m.feed, m.id_kind, m.id_number, m.name, l.person_id, l.linked_run
    FROM (SELECT mention_id FROM changed WHERE id_number IS NOT NULL
          UNION
          SELECT l.mention_id FROM touched_number n JOIN identity.link l ON l.id_number = n.id_number) touched
    JOIN identity.mention m USING (mention_id)
    LEFT JOIN identity.link l USING (mention_id)
    WHERE m.active AND m.id_number IS NOT NULL`.execute(tx);
  await sql`ANALYZE scope`.execute(tx);
}

/**
 * A valid document number and a compatible name make the same person.
 *
 * After: temporary table `cluster` gives every mention of the scope a label; mentions with one label are one
 * person. The label depends on the mentions alone, not on the order in which they came.
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
           CASE WHEN n.place > 1 THEN 'name_conflict'
                WHEN s.id_kind = 'resident_15' THEN 'upgraded_id'
                WHEN s.id_kind = 'resident' THEN 'valid_id'
                ELSE 'other_document' END AS method,
           NULL::float8 AS weight, NULL::bigint AS vector
    FROM scope s LEFT JOIN contested_name n ON n.id_number = s.id_number AND n.name = s.name`.execute(tx);
  await sql`ANALYZE cluster`.execute(tx);
}
