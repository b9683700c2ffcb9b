import type { PoolClient } from 'pg';
import { columnsRead, type Model } from '../model/model-file.ts';
import type { PatternCounts } from '../model/pattern.ts';
import { estimatePrior, type TrainingPatterns, trainModel } from '../model/training.ts';
import { hasWeights, type TrainedModel, withWeights } from '../model/weights.ts';
import type { Mode } from './block.ts';
import { comparePairs, countPatterns } from './compare.ts';
import type { Input } from './read-inputs.ts';

/**
 * The model with weights: its own, or, when it has none, those that training finds in these records. A model with
 * weights and without a prior gets the prior of these records.
 *
 * Before: `feature`, `compared`.
 *
 * @throws MODEL_UNTRAINABLE
 */
export async function weightsFor(
  client: PoolClient,
  model: Model,
  mode: Mode,
  inputs: readonly Input[],
): Promise<TrainedModel> {
  if (!hasWeights(model)) return trainOn(client, model, mode, inputs);
  if (model.prior !== undefined) return withWeights(model);
  const compared = await countPatterns(client, 'compared');
  const { comparisons } = withWeights(model, 0.5);
  const m = comparisons.map(({ levels }) => levels.map((level) => level.m));
  const u = comparisons.map(({ levels }) => levels.map((level) => level.u));
  return withWeights(model, estimatePrior(compared, m, u, allPairs(mode, inputs)));
}

/**
 * Trains the model on the records of `feature` and the pairs of `compared`, whatever weights it has.
 *
 * @throws MODEL_UNTRAINABLE
 */
export async function trainOn(
  client: PoolClient,
  model: Model,
  mode: Mode,
  inputs: readonly Input[],
): Promise<TrainedModel> {
  const pairs = allPairs(mode, inputs);
  const patterns: TrainingPatterns = {
    random: await randomPatterns(client, model, mode, inputs, pairs),
    blocks: await blockPatterns(client, model),
    compared: await countPatterns(client, 'compared'),
    allPairs: pairs,
  };
  return trainModel(model, patterns);
}

async function blockPatterns(client: PoolClient, model: Model): Promise<TrainingPatterns['blocks']> {
  const blocks: { counts: PatternCounts; heldOut: ReadonlySet<number> }[] = [];
  const chosen = model.training.blocking;
  for (const [at, rule] of model.blocking.entries()) {
    if (chosen !== undefined && !chosen.includes(rule.name)) continue;
    const blocked = columnsRead(model, [...rule.keys, rule.each ?? ''].join(' '));
    const heldOut = new Set<number>();
    model.comparisons.forEach((comparison, index) => {
      const read = columnsRead(model, comparison.levels.map(({ when }) => when ?? '').join(' '));
      if (!read.isDisjointFrom(blocked)) heldOut.add(index);
    });
    const counts = await countPatterns(client, 'compared', `rules & ${1n << BigInt(at)} <> 0`);
    blocks.push({ counts, heldOut });
  }
  return blocks;
}

/**
 * Patterns of pairs drawn evenly from all pairs: both records by the R2 sequence (Roberts 2018, "The unreasonable
 * effectiveness of quasirandom sequences"), which needs no generator and is the same on every server. When there are
 * fewer pairs than asked for, all of them.
 */
async function randomPatterns(
  client: PoolClient,
  model: Model,
  mode: Mode,
  inputs: readonly Input[],
  pairs: number,
): Promise<PatternCounts> {
  const records = inputs.reduce((sum, { rows }) => sum + rows, 0);
  const { seed, random_pairs: wanted } = model.training;
  // Of pairs among all records, only so many are allowed by the mode.
  const draws = Math.ceil((wanted * records * records) / (2 * pairs));
  const at = (step: number): string => {
    const sum = `(${(0.5 + seed * 0.618033988749895) % 1} + n * ${step}::float8)`;
    return `1 + floor(${records} * (${sum} - floor(${sum})))::integer`;
  };
  const drawn =
    pairs <= wanted
      ? 'SELECT l.record AS a, r.record AS b FROM feature l, feature r WHERE l.record < r.record'
      : `SELECT ${at(0.7548776662466927)} AS a, ${at(0.5698402909980532)} AS b FROM generate_series(1, ${draws}) AS n`;
  await client.query(`
    CREATE UNLOGGED TABLE random_pair AS
    SELECT least(a, b) AS left_record, greatest(a, b) AS right_record
    FROM (${drawn}) drawn JOIN feature l ON l.record = a JOIN feature r ON r.record = b
    WHERE a <> b ${mode === 'link' ? 'AND l.input <> r.input' : ''}`);
  await client.query('ANALYZE random_pair');
  await comparePairs(client, model, 'random_pair', 'random_compared');
  const counts = await countPatterns(client, 'random_compared');
  await client.query('DROP TABLE random_pair, random_compared');
  return counts;
}

/** How many pairs there are, blocked or not. */
function allPairs(mode: Mode, inputs: readonly Input[]): number {
  const records = inputs.reduce((sum, { rows }) => sum + rows, 0);
  const within = inputs.reduce((sum, { rows }) => sum + (rows * (rows - 1)) / 2, 0);
  const all = (records * (records - 1)) / 2;
  return mode === 'link' ? all - within : all;
}
