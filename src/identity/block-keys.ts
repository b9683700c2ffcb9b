import { type RawBuilder, sql, type Transaction } from 'kysely';
import type { DB } from '../schema/database.ts';
import type { BlockingRule, Model } from './model/model-file.ts';

/**
 * Brings the block keys of the scope to its mentions as they are now.
 *
 * Before: `cluster` labels the anchored mentions of the scope, `changed` names what changed. After: each key of an
 * anchored cluster stands once in identity.block_key, each key of every other changed mention once; and
 * temporary table `touched_key` holds every key that one of them has or had, so that whoever shares it is asked
 * again.
 */
export async function refreshBlockKeys(tx: Transaction<DB>, model: Model): Promise<void> {
  await sql`
    CREATE TEMPORARY TABLE keyed ON COMMIT DROP AS
    SELECT mention_id, label FROM cluster
    UNION ALL
    SELECT c.mention_id, NULL FROM changed c WHERE NOT EXISTS (SELECT FROM cluster k WHERE k.mention_id = c.mention_id)`.execute(tx);
  await sql`ANALYZE keyed`.execute(tx);
  await sql`
    CREATE TEMPORARY TABLE touched_key ON COMMIT DROP AS
    SELECT DISTINCT b.key FROM keyed k JOIN identity.block_key b USING (mention_id)`.execute(tx);
  await sql`DELETE FROM identity.block_key b USING keyed k WHERE b.mention_id = k.mention_id`.execute(tx);
  await sql`
    CREATE TEMPORARY TABLE new_key ON COMMIT DROP AS
    WITH r AS MATERIALIZED (SELECT f.*, k.label FROM keyed k JOIN identity.feature f USING (mention_id))
    SELECT key, min(mention_id) AS mention_id, label IS NOT NULL AS anchored
    FROM (${sql.join(model.blocking.map(keysOf), sql` UNION ALL `)}) keys
    GROUP BY key, label, CASE WHEN label IS NULL THEN mention_id END`.execute(tx);
  await sql`INSERT INTO identity.block_key (key, mention_id, anchored) SELECT key, mention_id, anchored FROM new_key`.execute(tx);
  await sql`INSERT INTO touched_key SELECT DISTINCT key FROM new_key`.execute(tx);
  await sql`ANALYZE touched_key`.execute(tx);
}

/** The keys of one rule as rows (mention_id, label, key). A rule's number is part of the key, so rules never meet. */
function keysOf(rule: BlockingRule, at: number): RawBuilder<unknown> {
  const parts = rule.each === undefined ? rule.keys : [...rule.keys, 'element'];
  const elements = rule.each === undefined ? sql`` : sql`CROSS JOIN unnest(${sql.raw(rule.each)}) AS element`;
  const key = sql.raw(`hashtextextended('${at}|' || ${parts.join(` || '|' || `)}, 0)`);
  const given = sql.raw(parts.map((part) => `(${part}) IS NOT NULL`).join(' AND '));
  return sql`SELECT r.mention_id, r.label, ${key} AS key FROM r ${elements} WHERE ${given}`;
}

/**
 * Whose person must be looked for anew: mentions without a document number that changed, that share a key with
 * anything that changed, or that are linked to the same person as one of those.
 *
 * After: temporary table `unresolved` holds them, with the person that they are linked to now.
 */
export async function findUnresolved(tx: Transaction<DB>): Promise<void> {
  await sql`
    CREATE TEMPORARY TABLE unresolved ON COMMIT DROP AS
    WITH touched AS (
      SELECT b.mention_id FROM touched_key t JOIN identity.block_key b USING (key) WHERE NOT b.anchored
      UNION
      SELECT mention_id FROM changed WHERE id_number IS NULL),
    closed AS (
      SELECT mention_id FROM touched
      UNION
      SELECT mate.mention_id
      FROM touched JOIN identity.link own USING (mention_id) JOIN identity.link mate ON mate.person_id = own.person_id)
    SELECT m.mention_id, m.feed, m.source_key, l.person_id, l.linked_run
    FROM closed JOIN identity.mention m USING (mention_id) LEFT JOIN identity.link l USING (mention_id)
    WHERE m.active AND m.id_number IS NULL`.execute(tx);
  await sql`ALTER TABLE unresolved ADD PRIMARY KEY (mention_id)`.execute(tx);
  await sql`ANALYZE unresolved`.execute(tx);
}
