import type { PoolClient } from 'pg';
import type { BlockingRule, Model } from '../model/model-file.ts';
import { modelStatement } from './statement.ts';

export type Mode = 'dedupe' | 'link';

/**
 * Brings together the pairs that any blocking rule asks for.
 *
 * Before: `feature`. After: `pair` (left_record < right_record, rules: bit n is set when rule n brings them together).
 * In link mode only pairs between different inputs. A key with more than `block_limit` records is capped: its records
 * are put in the order that the rule's `sort` gives, and each is paired with the `block_limit` next (the sorted
 * neighbourhood of Hernández & Stolfo 1995).
 *
 * @param notice told of each rule that had to be capped
 * @throws MODEL_EXPRESSION
 */
export async function buildPairs(
  client: PoolClient,
  model: Model,
  mode: Mode,
  notice: (message: string) => void,
): Promise<void> {
  await client.query(
    'CREATE UNLOGGED TABLE block_key (rule integer, key bigint, record integer, input integer)',
  );
  for (const [at, rule] of model.blocking.entries()) {
    const keys = `INSERT INTO block_key SELECT ${at}, key, record, input FROM (${keysSql(rule)}) keyed`;
    await modelStatement(client, `blocking rule ${rule.name}`, keys);
  }
  await client.query('ANALYZE block_key');
  await client.query(`
    CREATE UNLOGGED TABLE block_size AS
    SELECT rule, key, count(*) AS records, count(*) > ${model.block_limit} AS capped
    FROM block_key GROUP BY rule, key HAVING count(*) > 1`);
  await client.query('ANALYZE block_size');
  await orderCapped(client, model, notice);
  const allowed = mode === 'link' ? 'l.input <> r.input' : 'true';
  await client.query(`
    CREATE UNLOGGED TABLE pair AS
    SELECT left_record, right_record, bit_or(1::bigint << rule) AS rules
    FROM (
      SELECT l.record AS left_record, r.record AS right_record, l.rule
      FROM block_size s JOIN block_key l USING (rule, key) JOIN block_key r USING (rule, key)
      WHERE NOT s.capped AND l.record < r.record AND ${allowed}
      UNION ALL
      SELECT least(l.record, r.record), greatest(l.record, r.record), l.rule
      FROM capped_key l CROSS JOIN generate_series(1, ${model.block_limit}) AS distance
      JOIN capped_key r ON r.rule = l.rule AND r.key = l.key AND r.position = l.position + distance
      WHERE l.record <> r.record AND ${allowed}) candidate
    GROUP BY left_record, right_record`);
  await client.query('DROP TABLE block_key, block_size, capped_key');
  await client.query('ANALYZE pair');
}

/** Each record with each of its keys by one rule, hashed: a collision costs a comparison and nothing else. */
function keysSql(rule: BlockingRule): string {
  const keys = rule.keys.map((key) => `(${key})::text`);
  const elements = rule.each === undefined ? '' : `CROSS JOIN LATERAL unnest(${rule.each}) AS element`;
  const parts = rule.each === undefined ? keys : [...keys, 'element::text'];
  return `
    SELECT hashtextextended(concat_ws(E'\\x1f', ${parts.join(', ')}), 0) AS key, r.record, r.input,
           ${rule.sort ?? 'r.record'} AS sorted
    FROM feature r ${elements} WHERE ${parts.map((part) => `${part} IS NOT NULL`).join(' AND ')}`;
}

/** After: `capped_key`, the records of each oversized key by their place in its order. */
async function orderCapped(
  client: PoolClient,
  model: Model,
  notice: (message: string) => void,
): Promise<void> {
  await client.query(
    'CREATE UNLOGGED TABLE capped_key (rule integer, key bigint, record integer, input integer, position bigint)',
  );
  const { rows } = await client.query<{ rule: number; keys: number; largest: number }>(
    'SELECT rule, count(*) AS keys, max(records) AS largest FROM block_size WHERE capped GROUP BY rule ORDER BY rule',
  );
  for (const { rule: at, keys, largest } of rows) {
    const rule = model.blocking[at];
    if (rule === undefined) continue;
    notice(
      `blocking rule "${rule.name}": ${keys} keys have more than ${model.block_limit} records ` +
        `(the largest ${largest}); each of their records is compared with the next ${model.block_limit} only`,
    );
    await modelStatement(
      client,
      `blocking rule ${rule.name}`,
      `INSERT INTO capped_key
       SELECT ${at}, key, record, input, row_number() OVER (PARTITION BY key ORDER BY sorted, record)
       FROM (${keysSql(rule)}) keyed JOIN block_size s USING (key) WHERE s.rule = ${at} AND s.capped`,
    );
  }
  await client.query('ANALYZE capped_key');
}
