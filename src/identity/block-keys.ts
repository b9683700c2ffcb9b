import { sql, type Transaction } from 'kysely';
import type { DB } from '../schema/database.ts';
import { blockKeySql, columnsOf, elementsOf, isGiven } from './block-key-sql.ts';
import { storeFirstKeys } from './first-keys.ts';
import type { TrainedModel } from './model/weights.ts';

/**
 * Brings the block keys of the scope to its mentions as they are now.
 *
 * Before: `cluster` labels the anchored mentions of the scope, `changed` names what changed. After: each key of an
 * anchored cluster stands once in identity.block_key, under the first mention of the cluster's leading name; each
 * key of every other changed mention once; and temporary table `touched_key` holds every key that one of them has
 * or had, so that whoever shares it is asked again.
 *
 * @param isFirst nothing is linked yet: every mention is asked anyhow, and no key need be touched
 */
export async function refreshBlockKeys(
  tx: Transaction<DB>,
  model: TrainedModel,
  isFirst: boolean,
): Promise<void> {
  await sql`
    CREATE TEMPORARY TABLE keyed ON COMMIT DROP AS
    SELECT c.mention_id, l.lead
    FROM cluster c JOIN (SELECT label, coalesce(min(mention_id) FILTER (WHERE leads), min(mention_id)) AS lead
                         FROM cluster GROUP BY label) l USING (label)`.execute(tx);
  await computeKeys(tx, model);
  await sql`CREATE TEMPORARY TABLE touched_key (key bigint) ON COMMIT DROP`.execute(tx);
  if (isFirst) {
    await storeFirstKeys(tx, model);
    return;
  }
  await sql`
    CREATE TEMPORARY TABLE former_key ON COMMIT DROP AS
    SELECT b.key, b.mention_id, b.rule, b.anchored
    FROM (SELECT mention_id FROM keyed UNION SELECT mention_id FROM changed) k JOIN identity.block_key b USING (mention_id)`.execute(
    tx,
  );
  await sql`
    INSERT INTO touched_key SELECT key FROM former_key UNION SELECT key FROM present_key`.execute(tx);
  await sql`ANALYZE touched_key`.execute(tx);
  await writeDifferences(tx);
}

/**
 * After: temporary table `present_key` has the keys of the scope, and of what else changed, as they are now.
 *
 * The mentions of a person agree in most of what a rule reads: what is equal is put together before the key is made
 * of it, and what has become the same key afterwards.
 */
async function computeKeys(tx: Transaction<DB>, model: TrainedModel): Promise<void> {
  const names = [...new Set(model.blocking.flatMap(columnsOf))].map((name) => sql.id('f', name));
  await sql`
    CREATE TEMPORARY TABLE key_source ON COMMIT DROP AS
    SELECT k.lead, true AS anchored, ${sql.join(names)} FROM keyed k JOIN scope f USING (mention_id)
    UNION ALL
    SELECT c.mention_id, false, ${sql.join(names)} FROM changed c JOIN identity.feature f USING (mention_id)
    WHERE f.id_number IS NULL`.execute(tx);
  const rules = model.blocking.map((rule, at) => {
    const read = sql.join(columnsOf(rule).map((name) => sql.id(name)));
    return sql`
      SELECT DISTINCT ${blockKeySql(rule, at)} AS key, r.lead AS mention_id, ${sql.lit(at)}::smallint AS rule, r.anchored
      FROM ${elementsOf(rule, sql`(SELECT DISTINCT lead, anchored, ${read} FROM key_source)`)} WHERE ${isGiven(rule)}`;
  });
  await sql`
    CREATE TEMPORARY TABLE present_key ON COMMIT DROP AS ${sql.join(rules, sql` UNION ALL `)}`.execute(tx);
  await sql`ANALYZE present_key`.execute(tx);
}

/** After: identity.block_key has `present_key` in place of `former_key`. Most are in both. */
async function writeDifferences(tx: Transaction<DB>): Promise<void> {
  await sql`
    DELETE FROM identity.block_key b
    USING (SELECT * FROM former_key EXCEPT SELECT * FROM present_key) gone
    WHERE b.mention_id = gone.mention_id AND b.key = gone.key AND b.anchored = gone.anchored`.execute(tx);
  await sql`
    INSERT INTO identity.block_key (key, mention_id, rule, anchored)
    SELECT * FROM present_key EXCEPT SELECT * FROM former_key`.execute(tx);
}

/**
 * Whose person must be looked for anew: mentions without a document number that changed, that share a key with
 * anything that changed, whose family may have changed, that a human tied to one that is looked at, or that are linked to the same person as one
 * of those.
 *
 * After: temporary table `unresolved` holds them, with the person that they are linked to now.
 */
export async function findUnresolved(tx: Transaction<DB>): Promise<void> {
  await sql`
    CREATE TEMPORARY TABLE unresolved ON COMMIT DROP AS
    WITH touched AS (
      SELECT b.mention_id FROM touched_key t JOIN identity.block_key b USING (key) WHERE NOT b.anchored
      UNION
      SELECT mention_id FROM changed WHERE id_number IS NULL
      UNION
      SELECT mention_id FROM family_asked
      UNION
      SELECT o.mention_id FROM bound b JOIN bound o USING (group_id)
      WHERE EXISTS (SELECT FROM changed c WHERE c.mention_id = b.mention_id)
         OR EXISTS (SELECT FROM cluster c WHERE c.mention_id = b.mention_id)),
    closed AS (
      SELECT mention_id FROM touched
      UNION
      SELECT mate.mention_id
      FROM touched JOIN identity.link own USING (mention_id) JOIN identity.link mate ON mate.person_id = own.person_id
      -- Who lost the number since has changed, and is touched.
      WHERE mate.id_number IS NULL)
    SELECT m.mention_id, m.feed, m.source_key, m.name, m.sex, m.birth_date,
           l.person_id, l.linked_run, l.method = 'decision' AS by_decision
    FROM closed JOIN identity.mention m USING (mention_id) LEFT JOIN identity.link l USING (mention_id)
    WHERE m.active AND m.id_number IS NULL`.execute(tx);
  await sql`ALTER TABLE unresolved ADD PRIMARY KEY (mention_id)`.execute(tx);
  await sql`ANALYZE unresolved`.execute(tx);
}
