import type { PoolClient } from 'pg';
import { copyRows, openCopy } from '../../schema/warehouse/copy.ts';
import { frequencyBitsSql, patternSql } from '../model/comparison-sql.ts';
import { brokenLaw } from '../model/laws.ts';
import type { Model } from '../model/model-file.ts';
import type { Pattern } from '../model/pattern.ts';
import { patternWeight, type TrainedModel } from '../model/weights.ts';
import { modelStatement } from './statement.ts';

/**
 * Compares pairs. After: the table `target`, which is `source` (left_record, right_record and whatever else) with the
 * pattern of each pair.
 *
 * @throws MODEL_EXPRESSION
 */
export async function comparePairs(
  client: PoolClient,
  model: Model | TrainedModel,
  source: string,
  target: string,
): Promise<void> {
  await modelStatement(
    client,
    'comparisons',
    `CREATE UNLOGGED TABLE ${target} AS
     SELECT p.*, ${patternSql(model)} AS pattern
     FROM ${source} p
     JOIN feature l ON l.record = p.left_record
     JOIN feature r ON r.record = p.right_record`,
  );
  await client.query(`ANALYZE ${target}`);
}

/** Refuses a comparison that the server does not understand, naming it. @throws MODEL_EXPRESSION */
export async function checkComparisons(client: PoolClient, model: Model): Promise<void> {
  for (const comparison of model.comparisons) {
    const expression = patternSql({ comparisons: [comparison] });
    await modelStatement(
      client,
      `comparison ${comparison.name}`,
      `EXPLAIN SELECT ${expression} FROM feature l, feature r`,
    );
  }
}

/** How many pairs of a table show each pattern. */
export async function countPatterns(
  client: PoolClient,
  table: string,
  condition = 'true',
): Promise<Map<Pattern, number>> {
  const { rows } = await client.query<{ pattern: string; pairs: number }>(
    `SELECT pattern::text, count(*) AS pairs FROM ${table} WHERE ${condition} GROUP BY pattern`,
  );
  return new Map(rows.map(({ pattern, pairs }) => [BigInt(pattern), pairs]));
}

/**
 * Weighs compared pairs: each pattern once, each pair by a look-up and the frequencies of its values. What a law of the
 * model forbids weighs infinitely little.
 *
 * After: the table `target`, which is `source` with a weight in bits.
 *
 * @param least pairs of less weight are left out; null leaves none out
 */
export async function weighPairs(
  client: PoolClient,
  model: TrainedModel,
  source: string,
  target: string,
  least: number | null,
): Promise<void> {
  const patterns = await countPatterns(client, source);
  await client.query('CREATE UNLOGGED TABLE pattern_weight (pattern bigint, weight float8)');
  const copy = openCopy(client, 'COPY pattern_weight FROM STDIN');
  const rows = [...patterns.keys()].map((pattern) => [
    String(pattern),
    brokenLaw(model, pattern) === null ? String(patternWeight(model, pattern)) : '-Infinity',
  ]);
  await copy.write(copyRows(rows));
  await copy.finish();
  await client.query('ANALYZE pattern_weight');
  await client.query(
    `CREATE UNLOGGED TABLE ${target} AS
     SELECT * FROM (
       SELECT p.*, w.weight + ${frequencyBitsSql(model, 'p.pattern')} AS weight
       FROM ${source} p JOIN pattern_weight w USING (pattern) JOIN feature l ON l.record = p.left_record) weighed
     WHERE weight >= ${least === null ? "'-Infinity'" : least}`,
  );
  await client.query('DROP TABLE pattern_weight');
}
