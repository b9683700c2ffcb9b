import { type RawBuilder, sql, type Transaction } from 'kysely';
import type { DB } from '../schema/database.ts';
import { loadUnindexed } from './first-load.ts';
import type { BlockingRule } from './model/model-file.ts';
import type { TrainedModel } from './model/weights.ts';

/**
 * Brings the block keys of the scope to its mentions as they are now.
 *
 * Before: `cluster` labels the anchored mentions of the scope, `changed` names what changed. After: each key of an
 * anchored cluster stands once in identity.block_key, under the first mention of the cluster's leading name; each
 * key of every other changed mention once; and temporary table `touched_key` holds every key that one of them has
 * or had, so that whoever shares it is asked again.
 *
 * @param isFirst nothing is linked and no key is stored yet: every mention is asked anyhow, and no key need be touched
 */
export async function refreshBlockKeys(
  tx: Transaction<DB>,
  model: TrainedModel,
  isFirst: boolean,
): Promise<void> {
  await sql`
    CREATE TEMPORARY TABLE keyed ON COMMIT DROP AS
    SELECT c.mention_id, l.lead, true AS anchored
    FROM cluster c JOIN (SELECT label, coalesce(min(mention_id) FILTER (WHERE leads), min(mention_id)) AS lead
                         FROM cluster GROUP BY label) l USING (label)
    UNION ALL
    SELECT c.mention_id, c.mention_id, false FROM changed c
    WHERE NOT EXISTS (SELECT FROM cluster k WHERE k.mention_id = c.mention_id)`.execute(tx);
  await sql`ANALYZE keyed`.execute(tx);
  await sql`CREATE TEMPORARY TABLE touched_key (key bigint) ON COMMIT DROP`.execute(tx);
  if (isFirst) {
    await loadUnindexed(tx, 'block_key', () => storeKeys(tx, model));
    return;
  }
  await touchKeys(tx);
  await sql`DELETE FROM identity.block_key b USING keyed k WHERE b.mention_id = k.mention_id`.execute(tx);
  await storeKeys(tx, model);
  await touchKeys(tx);
  await sql`ANALYZE touched_key`.execute(tx);
}

/** After: the stored keys of the mentions of `keyed` stand in `touched_key`. */
async function touchKeys(tx: Transaction<DB>): Promise<void> {
  await sql`
    INSERT INTO touched_key
    SELECT DISTINCT b.key FROM keyed k JOIN identity.block_key b USING (mention_id)`.execute(tx);
}

/**
 * Computes and stores the keys. Before: none is stored for the mentions of `keyed`.
 *
 * The mentions of a person agree in most of what a rule reads: what is equal is put together before the key is made
 * of it, and what has become the same key afterwards.
 */
async function storeKeys(tx: Transaction<DB>, model: TrainedModel): Promise<void> {
  const columns = [...new Set(model.blocking.flatMap(columnsOf))];
  await sql`
    CREATE TEMPORARY TABLE key_source ON COMMIT DROP AS
    SELECT k.lead, k.anchored, ${sql.join(columns.map((name) => sql.id('f', name)))}
    FROM keyed k JOIN identity.feature f USING (mention_id)`.execute(tx);
  for (const [at, rule] of model.blocking.entries()) {
    const distinct = sql`(
      SELECT DISTINCT lead, anchored, ${sql.join(columnsOf(rule).map((name) => sql.id(name)))} FROM key_source)`;
    await sql`
      INSERT INTO identity.block_key (key, mention_id, rule, anchored)
      SELECT DISTINCT ${blockKeySql(rule, at)}, r.lead, ${sql.lit(at)}::smallint, r.anchored
      FROM ${elementsOf(rule, distinct)} WHERE ${isGiven(rule)}`.execute(tx);
  }
}

/**
 * The key of a blocking rule as an SQL expression over a row `r` of features (and `element`, see {@link elementsOf}).
 *
 * @param at the rule's place in the model: it is part of the key, so that rules never meet
 */
export function blockKeySql(rule: BlockingRule, at: number): RawBuilder<unknown> {
  return sql.raw(`hashtextextended('${at}|' || ${partsOf(rule).join(` || '|' || `)}, 0)`);
}

/** `FROM` this, the rows `r` of the features: a rule with `each` makes a row for each element of its array. */
export function elementsOf(rule: BlockingRule, features: RawBuilder<unknown>): RawBuilder<unknown> {
  return rule.each === undefined
    ? sql`${features} r`
    : sql`(SELECT r.*, unnest(${sql.raw(rule.each)}) AS element FROM ${features} r) r`;
}

/** A key with a part missing is none. */
export function isGiven(rule: BlockingRule): RawBuilder<unknown> {
  return sql.raw(
    partsOf(rule)
      .map((part) => `(${part}) IS NOT NULL`)
      .join(' AND '),
  );
}

function partsOf(rule: BlockingRule): readonly string[] {
  return rule.each === undefined ? rule.keys : [...rule.keys, 'element'];
}

/** The columns of identity.feature that a rule names. */
function columnsOf({ keys, each }: BlockingRule): string[] {
  const named = [...keys, each ?? ''].flatMap((expression) => [...expression.matchAll(/\br\.([a-z_]+)/g)]);
  return [...new Set(named.flatMap(([, name]) => name ?? []))];
}

/**
 * Whose person must be looked for anew: mentions without a document number that changed, that share a key with
 * anything that changed, that a human tied to one that is looked at, or that are linked to the same person as one
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
      SELECT o.mention_id FROM bound b JOIN bound o USING (group_id)
      WHERE EXISTS (SELECT FROM changed c WHERE c.mention_id = b.mention_id)
         OR EXISTS (SELECT FROM cluster c WHERE c.mention_id = b.mention_id)),
    closed AS (
      SELECT mention_id FROM touched
      UNION
      SELECT mate.mention_id
      FROM touched JOIN identity.link own USING (mention_id) JOIN identity.link mate ON mate.person_id = own.person_id)
    SELECT m.mention_id, m.feed, m.source_key, l.person_id, l.linked_run, l.method = 'decision' AS by_decision
    FROM closed JOIN identity.mention m USING (mention_id) LEFT JOIN identity.link l USING (mention_id)
    WHERE m.active AND m.id_number IS NULL`.execute(tx);
  await sql`ALTER TABLE unresolved ADD PRIMARY KEY (mention_id)`.execute(tx);
  await sql`ANALYZE unresolved`.execute(tx);
}
