import type { PoolClient } from 'pg';
import { frequencyColumn, frequencyColumns } from '../model/comparison-sql.ts';
import type { ColumnKind, Model } from '../model/model-file.ts';
import { modelStatement } from './statement.ts';

/** How a value of each kind is normalised; empty is null. `%` stands for the column. */
const NORMALISED: Readonly<Record<ColumnKind, string>> = {
  text: "nullif(btrim(regexp_replace(lower(normalize(%, NFKC)), '\\s+', ' ', 'g')), '')",
  exact: "nullif(btrim(%), '')",
  digits: "nullif(regexp_replace(normalize(%, NFKC), '[^0-9]', '', 'g'), '')",
  // Not checked against the calendar: a mistyped date still compares digit by digit.
  date: `CASE WHEN % ~ '^\\s*[0-9]{4}[^0-9]+[0-9]{1,2}[^0-9]+[0-9]{1,2}'
    THEN substring(% from '[0-9]{4}') || lpad(substring(% from '[0-9]{4}[^0-9]+([0-9]{1,2})'), 2, '0')
      || lpad(substring(% from '[0-9]{4}[^0-9]+[0-9]{1,2}[^0-9]+([0-9]{1,2})'), 2, '0')
    ELSE nullif(left(regexp_replace(normalize(%, NFKC), '[^0-9]', '', 'g'), 8), '') END`,
  number: `CASE WHEN btrim(%) ~ '^[-+]?[0-9]{1,15}([.][0-9]{1,15})?$' THEN btrim(%)::float8 END`,
  list: `(SELECT array_agg(DISTINCT word ORDER BY word)
    FROM (SELECT btrim(lower(normalize(part, NFKC))) AS word FROM regexp_split_to_table(%, '[;,|；，、]') part) words
    WHERE word <> '')`,
};

/**
 * Normalises what was read and computes the model's features.
 *
 * Before: `given`. After: `feature`, one row a record: record, input, the columns and features of the model, and
 * frequency_of_<name> for each that a comparison adjusts by; `given` is gone.
 *
 * @throws MODEL_EXPRESSION when an expression of the model fails
 */
export async function buildFeatures(client: PoolClient, model: Model): Promise<void> {
  const columns = Object.entries(model.columns).map(
    ([name, { kind }]) => `${NORMALISED[kind].replaceAll('%', name)} AS ${name}`,
  );
  let from = `(SELECT record, input, ${columns.join(', ')} FROM given)`;
  for (const [name, expression] of Object.entries(model.features)) {
    from = `(SELECT r.*, (${expression}) AS ${name} FROM ${from} r)`;
    await modelStatement(client, `feature ${name}`, `EXPLAIN SELECT * FROM ${from} r`);
  }
  await modelStatement(client, 'features', `CREATE UNLOGGED TABLE normalised AS SELECT * FROM ${from} r`);
  const frequencies = frequencyColumns(model).map(
    (name) => `, CASE WHEN r.${name} IS NOT NULL
      THEN count(*) OVER (PARTITION BY r.${name})::float8 / count(r.${name}) OVER () END AS ${frequencyColumn(name)}`,
  );
  await client.query(`CREATE UNLOGGED TABLE feature AS SELECT r.* ${frequencies.join('')} FROM normalised r`);
  await client.query('DROP TABLE given, normalised');
  await client.query('ALTER TABLE feature ADD PRIMARY KEY (record)');
  await client.query('ANALYZE feature');
}
