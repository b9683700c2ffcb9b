import { type RawBuilder, sql, type Transaction } from 'kysely';
import type { DB } from '../schema/database.ts';
import type { BlockingRule } from './model/model-file.ts';
import type { TrainedModel } from './model/weights.ts';

/**
 * Brings the block keys of the scope to its mentions as they are now.
 *
 * Before: `cluster` labels the anchored mentions of the scope, `changed` names what changed. After: each key of an
 * anchored cluster stands once in identity.block_key, under the first mention of the cluster's leading name; each
 * key of every other changed mention once; and temporary table `touched_key` holds every key that one of them has
 * or had, so that whoever shares it is asked again.
 */
export async function refreshBlockKeys(tx: Transaction<DB>, model: TrainedModel): Promise<void> {
  await sql`
    CREATE TEMPORARY TABLE keyed ON COMMIT DROP AS
    SELECT c.mention_id, l.lead, true AS anchored
    FROM cluster c JOIN (SELECT label, coalesce(min(mention_id) FILTER (WHERE leads), min(mention_id)) AS lead
                         FROM cluster GROUP BY label) l USING (label)
    UNION ALL
    SELECT c.mention_id, c.mention_id, false FROM changed c
    WHERE NOT EXISTS (SELECT FROM cluster k WHERE k.mention_id = c.mention_id)`.execute(tx);
  await sql`ANALYZE keyed`.execute(tx);
  await sql`
    CREATE TEMPORARY TABLE touched_key ON COMMIT DROP AS
    SELECT DISTINCT b.key FROM keyed k JOIN identity.block_key b USING (mention_id)`.execute(tx);
  await sql`DELETE FROM identity.block_key b USING keyed k WHERE b.mention_id = k.mention_id`.execute(tx);

  const columns = new Set(
    model.blocking.flatMap((rule) => [...rule.keys, rule.each ?? '']).flatMap(columnsNamed),
  );
  await sql`
    CREATE TEMPORARY TABLE key_source ON COMMIT DROP AS
    SELECT k.lead, k.anchored, ${sql.join([...columns].map((name) => sql.id('f', name)))}
    FROM keyed k JOIN identity.feature f USING (mention_id)`.execute(tx);
  await sql`CREATE TEMPORARY TABLE new_key (key bigint, lead bigint, anchored boolean) ON COMMIT DROP`.execute(
    tx,
  );
  for (const [at, rule] of model.blocking.entries()) {
    await sql`INSERT INTO new_key SELECT DISTINCT ${blockKeySql(rule, at)}, r.lead, r.anchored
              FROM key_source r ${elementsOf(rule)} WHERE ${isGiven(rule)}`.execute(tx);
  }
  await storeKeys(tx);
  await sql`INSERT INTO touched_key SELECT DISTINCT key FROM new_key`.execute(tx);
  await sql`ANALYZE touched_key`.execute(tx);
}

/** Keys are scattered over their index: into an empty table they are stored first and indexed afterwards. */
async function storeKeys(tx: Transaction<DB>): Promise<void> {
  const { rows } = await sql<{ empty: boolean }>`
    SELECT NOT EXISTS (SELECT FROM identity.block_key) AS empty`.execute(tx);
  const isFirst = rows[0]?.empty ?? false;
  if (isFirst) await sql`DROP INDEX identity.block_key_by_key, identity.block_key_by_mention`.execute(tx);
  await sql`INSERT INTO identity.block_key (key, mention_id, anchored)
            SELECT key, lead, anchored FROM new_key`.execute(tx);
  if (!isFirst) return;
  await sql`CREATE INDEX block_key_by_key ON identity.block_key (key)`.execute(tx);
  await sql`CREATE INDEX block_key_by_mention ON identity.block_key (mention_id)`.execute(tx);
  await sql`ANALYZE identity.block_key`.execute(tx);
}

/**
 * The key of a blocking rule as an SQL expression over a row `r` of features (and `element`, see {@link elementsOf}).
 *
 * @param at the rule's place in the model: it is part of the key, so that rules never meet
 */
export function blockKeySql(rule: BlockingRule, at: number): RawBuilder<unknown> {
  return sql.raw(`hashtextextended('${at}|' || ${partsOf(rule).join(` || '|' || `)}, 0)`);
}

/** What follows `FROM … r`: a rule with `each` makes one key for each element of its array. */
export function elementsOf(rule: BlockingRule): RawBuilder<unknown> {
  return rule.each === undefined ? sql`` : sql`CROSS JOIN unnest(${sql.raw(rule.each)}) AS element`;
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

/** The columns of identity.feature that an expression over `r` names. */
function columnsNamed(expression: string): string[] {
  return [...expression.matchAll(/\br\.([a-z_]+)/g)].flatMap(([, name]) => name ?? []);
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
