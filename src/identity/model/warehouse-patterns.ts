import { type RawBuilder, sql, type Transaction } from 'kysely';
import type { DB } from '../../schema/database.ts';
import { blockKeySql, elementsOf, isGiven } from '../block-key-sql.ts';
import { bestLevelsSql, patternSql } from './comparison-sql.ts';
import { type BlockingRule, columnsRead, type Model } from './model-file.ts';
import type { Pattern, PatternCounts } from './pattern.ts';
import type { TrainingPatterns } from './training.ts';

/** How many mentions with a number are compared with the others of their number, at most. */
const MOST_KNOWN = 200_000;

/** Columns of identity.feature that are made from others: who selects by one of them selects by what it was made from. */
const MADE_FROM: Readonly<Record<string, string>> = {
  pinyin: 'name',
  shape: 'name',
  name_pattern: 'name',
  surname_pinyin: 'name',
  given_pinyin: 'name',
  lunar_birth: 'birth',
  id_odd: 'id_number',
  id_birth: 'id_number',
};

const COMPATIBLE = sql`(l.pinyin = r.pinyin OR l.shape = r.shape OR l.name LIKE r.name_pattern OR r.name LIKE l.name_pattern)`;

/** After FROM … l … r: the vector of each pair, computed once. */
function compared(model: Model): RawBuilder<unknown> {
  return sql`CROSS JOIN LATERAL (SELECT ${sql.raw(patternSql(model))} AS pattern OFFSET 0) compared`;
}

function bestOf(model: Model): RawBuilder<unknown> {
  return sql.raw(bestLevelsSql(model, 'compared.pattern'));
}

/** How much there is to train on. */
export interface Population {
  readonly mentions: number;
  readonly without_number: number;
  readonly persons: number;
}

/**
 * What training is about: a mention without a valid document number against a person that a number anchors, as the
 * night weighs them (of all the person's mentions the best level, comparison by comparison).
 *
 * After: temporary table `trainee` holds the features of all linked mentions, `anchored` those with a number.
 * Its order `place` depends on the seed and on the records alone, not on their ids.
 */
export async function gatherTrainees(tx: Transaction<DB>, seed: number): Promise<Population> {
  await sql`
    CREATE TEMPORARY TABLE trainee ON COMMIT DROP AS
    SELECT f.*, k.person_id, f.id_number IS NOT NULL AS anchored,
           hashtextextended(concat_ws('|', f.feed, f.source_key, f.role), ${seed}::bigint) AS place
    FROM identity.feature f JOIN identity.link k USING (mention_id)
    WHERE k.method <> 'name_conflict' AND (f.id_number IS NOT NULL OR f.name IS NOT NULL)`.execute(tx);
  await sql`CREATE INDEX ON trainee (person_id) WHERE anchored`.execute(tx);
  await sql`
    CREATE TEMPORARY TABLE asking ON COMMIT DROP AS
    SELECT mention_id, row_number() OVER (ORDER BY place, source_key, feed, role) AS number FROM trainee WHERE NOT anchored`.execute(
    tx,
  );
  await sql`
    CREATE TEMPORARY TABLE node ON COMMIT DROP AS
    SELECT person_id, row_number() OVER (ORDER BY min(place), min(source_key)) AS number
    FROM trainee WHERE anchored GROUP BY person_id`.execute(tx);
  await sql`ANALYZE trainee, asking, node`.execute(tx);
  const { rows } = await sql<Population>`
    SELECT (SELECT count(*) FROM trainee) AS mentions, (SELECT count(*) FROM asking) AS without_number,
           (SELECT count(*) FROM node) AS persons`.execute(tx);
  return rows[0] ?? { mentions: 0, without_number: 0, persons: 0 };
}

/**
 * Patterns of mentions with a number, taken as if they had none, against the other mentions of their person: matches
 * by evidence that the patterns do not show. A number on another name is nobody's match.
 *
 * Before: `trainee`.
 */
export async function knownPatterns(tx: Transaction<DB>, model: Model): Promise<PatternCounts> {
  await sql`
    CREATE TEMPORARY TABLE masked ON COMMIT DROP AS
    SELECT * FROM trainee WHERE anchored ORDER BY place, source_key, feed, role LIMIT ${MOST_KNOWN}`.execute(
    tx,
  );
  await sql`UPDATE masked SET id_number = NULL, id_odd = NULL, id_birth = NULL`.execute(tx);
  await sql`ANALYZE masked`.execute(tx);
  return count(
    tx,
    sql`
      SELECT ${bestOf(model)} AS pattern
      FROM masked l JOIN trainee r ON r.person_id = l.person_id AND r.anchored AND r.mention_id <> l.mention_id
      ${compared(model)}
      GROUP BY l.mention_id HAVING bool_or(${COMPATIBLE})`,
  );
}

/**
 * Patterns of mentions without a number against persons, drawn evenly from all such pairs by the R2 sequence (Roberts
 * 2018), the same on every server; all pairs, when there are fewer than asked for.
 *
 * Before: `trainee`, `asking`, `node`.
 */
export async function randomPatterns(
  tx: Transaction<DB>,
  model: Model,
  { without_number, persons }: Population,
): Promise<PatternCounts> {
  const { seed, random_pairs: wanted } = model.training;
  const at = (step: number, most: number): RawBuilder<unknown> => {
    const sum = sql.raw(`(${(0.5 + seed * 0.618033988749895) % 1} + n * ${step}::float8)`);
    return sql`1 + floor(${sql.lit(most)} * (${sum} - floor(${sum})))::bigint`;
  };
  const drawn =
    without_number * persons <= wanted
      ? sql`SELECT row_number() OVER () AS n, a.number AS one, o.number AS other FROM asking a, node o`
      : sql`SELECT n, ${at(0.7548776662466927, without_number)} AS one, ${at(0.5698402909980532, persons)} AS other
            FROM generate_series(1, ${sql.lit(wanted)}) AS n`;
  return count(
    tx,
    sql`
      SELECT ${bestOf(model)} AS pattern
      FROM (${drawn}) drawn
      JOIN asking a ON a.number = drawn.one JOIN trainee l ON l.mention_id = a.mention_id
      JOIN node o ON o.number = drawn.other JOIN trainee r ON r.person_id = o.person_id AND r.anchored
      ${compared(model)}
      GROUP BY drawn.n`,
  );
}

/**
 * Patterns of mentions without a number against the persons that they meet under a block key, with a compatible name.
 * Keys under which too many stand are left out, and people of one record.
 *
 * Before: `trainee`, `asking`.
 *
 * @returns for each blocking rule of the training its patterns; and those of all rules, each pair once
 */
export async function blockPatterns(
  tx: Transaction<DB>,
  model: Model,
): Promise<Pick<TrainingPatterns, 'blocks' | 'compared'>> {
  await meetPersons(tx, model);
  const { rows } = await sql<{ rules: number; pattern: string; pairs: number }>`
    SELECT rules, pattern::text, count(*) AS pairs FROM (
      SELECT m.rules, ${bestOf(model)} AS pattern
      FROM met m JOIN trainee l ON l.mention_id = m.mention_id
      JOIN trainee r ON r.person_id = m.person_id AND r.anchored
      ${compared(model)}
      GROUP BY m.mention_id, m.person_id, m.rules
      HAVING bool_or(${COMPATIBLE}) AND NOT bool_or(l.feed = r.feed AND l.source_key = r.source_key)) judged
    GROUP BY rules, pattern ORDER BY pattern, rules`.execute(tx);
  const chosen = model.training.blocking;
  const blocks = model.blocking.flatMap((rule, at) => {
    if (chosen !== undefined && !chosen.includes(rule.name)) return [];
    const own = rows.filter(({ rules }) => (BigInt(rules) >> BigInt(at)) & 1n);
    return [{ counts: added(own), heldOut: heldOutBy(model, rule) }];
  });
  return { blocks, compared: added(rows) };
}

/** After: temporary table `met` has each mention of `asking` with each person that shares a key; bit n: by rule n. */
async function meetPersons(tx: Transaction<DB>, model: Model): Promise<void> {
  await sql`CREATE TEMPORARY TABLE asked_key (rule integer, key bigint, mention_id bigint) ON COMMIT DROP`.execute(
    tx,
  );
  await sql`CREATE TEMPORARY TABLE node_key (key bigint, person_id bigint) ON COMMIT DROP`.execute(tx);
  for (const [at, rule] of model.blocking.entries()) {
    const keysOf = (condition: string): RawBuilder<unknown> => sql`
      SELECT ${blockKeySql(rule, at)} AS key, r.mention_id, r.person_id
      FROM ${elementsOf(rule, sql.raw(`(SELECT * FROM trainee WHERE ${condition})`))} WHERE ${isGiven(rule)}`;
    await sql`
      INSERT INTO asked_key SELECT DISTINCT ${at}::integer, key, mention_id FROM (${keysOf('NOT anchored')}) keyed`.execute(
      tx,
    );
    await sql`ANALYZE asked_key`.execute(tx);
    await sql`
      INSERT INTO node_key SELECT DISTINCT key, person_id FROM (${keysOf('anchored')}) keyed
      WHERE key IN (SELECT key FROM asked_key WHERE rule = ${at})`.execute(tx);
  }
  await sql`ANALYZE asked_key, node_key`.execute(tx);
  await sql`
    CREATE TEMPORARY TABLE met ON COMMIT DROP AS
    SELECT a.mention_id, n.person_id, bit_or(1::bigint << a.rule) AS rules
    FROM asked_key a JOIN node_key n USING (key)
    WHERE key NOT IN (SELECT key FROM node_key GROUP BY key HAVING count(*) > ${model.block_limit})
    GROUP BY a.mention_id, n.person_id`.execute(tx);
  await sql`ANALYZE met`.execute(tx);
}

/**
 * The comparisons that a rule leaves nothing to say: they read what the rule selects by, or what that was made from.
 * Only compatible names are compared at all, so every rule selects by the name.
 */
function heldOutBy(model: Model, rule: BlockingRule): ReadonlySet<number> {
  const originsOf = (expression: string): string[] =>
    [...columnsRead(model, expression)].map((column) => MADE_FROM[column] ?? column);
  const selected = new Set(['name', ...originsOf([...rule.keys, rule.each ?? ''].join(' '))]);
  const heldOut = model.comparisons.flatMap(({ levels }, at) =>
    originsOf(levels.map(({ when }) => when ?? '').join(' ')).some((origin) => selected.has(origin))
      ? [at]
      : [],
  );
  return new Set(heldOut);
}

/** In the order of the patterns: sums of fractions depend on the order, and the same data shall give the same weights. */
async function count(tx: Transaction<DB>, patterns: RawBuilder<unknown>): Promise<PatternCounts> {
  const { rows } = await sql<{ pattern: string; pairs: number }>`
    SELECT pattern::text, count(*) AS pairs FROM (${patterns}) judged GROUP BY pattern ORDER BY pattern`.execute(
    tx,
  );
  return added(rows);
}

function added(rows: readonly { readonly pattern: string; readonly pairs: number }[]): PatternCounts {
  const counts = new Map<Pattern, number>();
  for (const { pattern, pairs } of rows) {
    const key = BigInt(pattern);
    counts.set(key, (counts.get(key) ?? 0) + pairs);
  }
  return counts;
}
