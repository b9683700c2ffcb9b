import { type RawBuilder, sql, type Transaction } from 'kysely';
import type { DB } from '../schema/database.ts';
import { indexesOf, sharedOut } from '../schema/warehouse/bulk.ts';
import { blockKeySql, columnsOf, elementsOf, isGiven } from './block-key-sql.ts';
import type { BlockingRule } from './model/model-file.ts';
import type { TrainedModel } from './model/weights.ts';

/** The columns of identity.feature that are made of the number, the name and the birth date. */
const OF_THE_PERSON = new Set([
  'id_number',
  'id_odd',
  'id_birth',
  'name',
  'name_pattern',
  'pinyin',
  'shape',
  'surname_pinyin',
  'given_pinyin',
  'birth',
  'lunar_birth',
]);

/**
 * Makes the block keys of a whole county at once.
 *
 * Before: nothing is linked; `present_key` has the keys of those that have no plain number. After: identity.block_key
 * is made anew, with these and with the keys of all plain numbers. A new table is the one thing that the server fills by several processes; each blocking rule is a
 * part of the statement that one of them takes.
 */
export async function storeFirstKeys(tx: Transaction<DB>, model: TrainedModel): Promise<void> {
  const indexes = await indexesOf(tx, 'identity.block_key');
  const grants = await grantsOf(tx);
  await gatherFirstSource(tx);
  await gatherRecordKeys(tx, model);
  await sql`DROP TABLE identity.block_key`.execute(tx);
  const rules = model.blocking.map((rule, at) => keysOfPlain(rule, at));
  // No scan is shared, or one process would do alone all that comes after it.
  await sharedOut(tx, '1TB', sql`CREATE TABLE identity.block_key AS ${sql.join(rules, sql` UNION ALL `)}`);
  await sql`DROP TABLE identity.plain_source, identity.plain_mention`.execute(tx);
  await sql`
    INSERT INTO identity.block_key (key, mention_id, rule, anchored)
    SELECT key, mention_id, rule, anchored FROM present_key`.execute(tx);
  for (const { rebuild } of indexes) await sql.raw(rebuild).execute(tx);
  for (const { grant } of grants) await sql.raw(grant).execute(tx);
  await sql`ANALYZE identity.block_key`.execute(tx);
}

/** The statements that let the same roles read the new table as the old one. */
async function grantsOf(tx: Transaction<DB>): Promise<{ readonly grant: string }[]> {
  const { rows } = await sql<{ grant: string }>`
    SELECT format('GRANT SELECT ON identity.block_key TO %s', a.grantee::regrole) AS grant
    FROM pg_class c CROSS JOIN LATERAL aclexplode(c.relacl) a
    WHERE c.oid = 'identity.block_key'::regclass AND a.privilege_type = 'SELECT' AND a.grantee <> c.relowner`.execute(
    tx,
  );
  return rows;
}

/**
 * After: table identity.plain_source has what the mentions of each plain number say of number, name and birth date.
 * Most say the same: a number with one name and one birth date stands there once, and once more for each mention that
 * lacks either.
 */
async function gatherFirstSource(tx: Transaction<DB>): Promise<void> {
  await sharedOut(
    tx,
    '1MB',
    sql`
    CREATE UNLOGGED TABLE identity.plain_source AS
    SELECT p.lead, ${sql.join([...OF_THE_PERSON].map((name) => sql.id('f', name)))}
    FROM identity.plain_number p JOIN identity.feature f USING (id_number)
    WHERE f.mention_id = p.complete OR f.name IS NULL OR f.birth IS NULL OR p.births_differ`,
  );
  await sql`ANALYZE identity.plain_source (lead)`.execute(tx);
}

/** Whether a rule reads something of the record, which is another with each mention, and makes one key of it. */
function isOfTheRecord(rule: BlockingRule): boolean {
  return rule.each === undefined && columnsOf(rule).some((name) => !OF_THE_PERSON.has(name));
}

/**
 * After: table identity.plain_mention has for each mention of a plain number the keys that rules make of its record:
 * column n that of the rule at place n. One pass over the mentions does for all of these rules.
 */
async function gatherRecordKeys(tx: Transaction<DB>, { blocking }: TrainedModel): Promise<void> {
  const keys = blocking.flatMap((rule, at) =>
    isOfTheRecord(rule) ? sql`, ${blockKeySql(rule, at)} AS ${sql.id(String(at))}` : [],
  );
  await sharedOut(
    tx,
    '1MB',
    sql`
    CREATE UNLOGGED TABLE identity.plain_mention AS
    SELECT p.lead ${sql.join(keys, sql` `)} FROM identity.plain_number p JOIN identity.feature r USING (id_number)`,
  );
  await sql`ANALYZE identity.plain_mention`.execute(tx);
}

/** The keys that a rule gives the plain numbers. */
function keysOfPlain(rule: BlockingRule, at: number): RawBuilder<unknown> {
  if (isOfTheRecord(rule)) {
    const key = sql.id(String(at));
    return sql`
      SELECT DISTINCT ${key} AS key, lead AS mention_id, ${sql.lit(at)}::smallint AS rule, true AS anchored
      FROM identity.plain_mention WHERE ${key} IS NOT NULL`;
  }
  const source = columnsOf(rule).every((name) => OF_THE_PERSON.has(name))
    ? sql`identity.plain_source`
    : sql`(SELECT p.lead, f.* FROM identity.feature f JOIN identity.plain_number p USING (id_number))`;
  return sql`
    SELECT DISTINCT ${blockKeySql(rule, at)} AS key, r.lead AS mention_id, ${sql.lit(at)}::smallint AS rule, true AS anchored
    FROM ${elementsOf(rule, source)} WHERE ${isGiven(rule)}`;
}
