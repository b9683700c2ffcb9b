import type { PoolClient } from 'pg';
import { frequencyColumn, frequencyColumns } from '../model/comparison-sql.ts';
import type { Model } from '../model/model-file.ts';
import { modelStatement } from './statement.ts';

/**
 * Computes the model's features.
 *
 * Before: `given`. After: `feature`, one row a record: record, input, the columns and features of the model, and
 * frequency_of_<name> for each that a comparison adjusts by; `given` is gone.
 *
 * @throws MODEL_EXPRESSION when an expression of the model fails
 */
export async function buildFeatures(client: PoolClient, model: Model): Promise<void> {
  let from = 'given';
  for (const [name, expression] of Object.entries(model.features)) {
    from = `(SELECT r.*, (${expression}) AS ${name} FROM ${from} r)`;
    await modelStatement(client, `feature ${name}`, `EXPLAIN SELECT * FROM ${from} r`);
  }
  const frequencies = frequencyColumns(model).map(
    (name) => `, CASE WHEN r.${name} IS NOT NULL
      THEN count(*) OVER (PARTITION BY r.${name})::float8 / count(r.${name}) OVER () END AS ${frequencyColumn(name)}`,
  );
  await modelStatement(
    client,
    'features',
    `CREATE UNLOGGED TABLE feature AS SELECT r.* ${frequencies.join('')} FROM ${from} r`,
  );
  await client.query('DROP TABLE given');
  await client.query('ALTER TABLE feature ADD PRIMARY KEY (record)');
  await client.query('ANALYZE feature');
}
