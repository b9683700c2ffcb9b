import { type RawBuilder, sql, type Transaction } from 'kysely';
import type { DB } from '../schema/database.ts';
import type { RunId } from '../schema/ids.ts';
import type { TrainedModel } from './model/weights.ts';

/**
 * Finds whom the unresolved mentions meet: whoever stands under one of their block keys.
 *
 * A key under which more than the model's limit stand says too little by itself: it is split by the sound of the
 * name, which costs little, as only mentions with compatible names are compared. What is still too large is left out.
 *
 * Before: `unresolved` has (mention_id). After: temporary table `met` has each of them with each mention it
 * meets; `crowd` has who stands under a crowded key, and how many namesakes are there.
 */
export async function findMeetings(tx: Transaction<DB>, model: TrainedModel): Promise<void> {
  await gatherKeys(tx, 'unresolved');
  await sql`CREATE TEMPORARY TABLE crowd ON COMMIT DROP AS ${crowdsOf(model, sql`own_key`)}`.execute(tx);
  await sql`ANALYZE crowd`.execute(tx);
  await sql`CREATE TEMPORARY TABLE met ON COMMIT DROP AS ${meetingsOf(model)}`.execute(tx);
  await sql`ANALYZE met`.execute(tx);
}

/** The same of mentions that are asked besides. After: `met` and `crowd` have what is theirs as well. */
export async function addMeetings(tx: Transaction<DB>, model: TrainedModel, asked: string): Promise<void> {
  await sql`DROP TABLE own_key`.execute(tx);
  await gatherKeys(tx, asked);
  const keys = sql`(SELECT key FROM own_key EXCEPT SELECT key FROM crowd) fresh`;
  await sql`INSERT INTO crowd ${crowdsOf(model, keys)}`.execute(tx);
  await sql`INSERT INTO met ${meetingsOf(model)}`.execute(tx);
  await sql`ANALYZE crowd, met`.execute(tx);
}

/** After: temporary table `own_key` has the block keys of those that are asked. */
async function gatherKeys(tx: Transaction<DB>, asked: string): Promise<void> {
  await sql`
    CREATE TEMPORARY TABLE own_key ON COMMIT DROP AS
    SELECT a.mention_id, b.key FROM ${sql.id(asked)} a JOIN identity.block_key b USING (mention_id)`.execute(
    tx,
  );
  await sql`ANALYZE own_key`.execute(tx);
}

/** Who stands under those of the keys that are crowded. */
function crowdsOf(model: TrainedModel, keys: RawBuilder<unknown>): RawBuilder<unknown> {
  return sql`
    WITH crowded AS (
      SELECT b.key FROM (SELECT DISTINCT key FROM ${keys}) k JOIN identity.block_key b USING (key)
      GROUP BY b.key HAVING count(*) > ${model.block_limit})
    SELECT b.key, b.rule, b.mention_id, b.anchored, f.pinyin, count(*) OVER (PARTITION BY b.key, f.pinyin) AS namesakes
    FROM crowded JOIN identity.block_key b USING (key)
    JOIN identity.mention m ON m.mention_id = b.mention_id JOIN identity.name_form f ON f.name = m.name`;
}

/** Whom those meet whose keys are `own_key`. */
function meetingsOf(model: TrainedModel): RawBuilder<unknown> {
  return sql`
    SELECT k.mention_id, b.mention_id AS other_id, b.anchored
    FROM own_key k JOIN identity.block_key b ON b.key = k.key AND b.mention_id <> k.mention_id
    WHERE NOT EXISTS (SELECT FROM crowd c WHERE c.key = k.key)
    UNION
    SELECT own.mention_id, other.mention_id, other.anchored
    FROM own_key k JOIN crowd own ON own.key = k.key AND own.mention_id = k.mention_id
    JOIN crowd other ON other.key = own.key AND other.pinyin = own.pinyin AND other.mention_id <> own.mention_id
    WHERE own.namesakes <= ${model.block_limit}`;
}

/**
 * Writes down, rule by rule, which keys were crowded.
 *
 * Before: `crowd` stands. After: identity.crowded_key has a row of this run for each blocking rule with such keys: how
 * many they were and how many mentions (of a person with a number: one) stood under them, and the same of the sounds
 * of names by which they were split and that were still too large. Where no key was crowded, nothing is written.
 */
export async function recordCrowds(tx: Transaction<DB>, model: TrainedModel, runId: RunId): Promise<void> {
  await sql`
    INSERT INTO identity.crowded_key (run_id, rule, keys, mentions, left_out_keys, left_out_mentions)
    SELECT ${runId}::bigint, r.name, count(DISTINCT c.key), count(*),
           count(DISTINCT (c.key, c.pinyin)) FILTER (WHERE c.namesakes > ${model.block_limit}),
           count(*) FILTER (WHERE c.namesakes > ${model.block_limit})
    FROM crowd c
    JOIN unnest(${model.blocking.map(({ name }) => name)}::text[]) WITH ORDINALITY AS r (name, place) ON r.place = c.rule + 1
    GROUP BY r.name`.execute(tx);
}
