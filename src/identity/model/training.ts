import { PopshareError } from '../../schema/errors.ts';
import {
  type LevelProbabilities,
  likelihood,
  maximiseExpectation,
  startingPoint,
} from './expectation-maximisation.ts';
import type { Model } from './model-file.ts';
import { type PatternCounts, unpackPattern } from './pattern.ts';
import type { TrainedModel } from './weights.ts';

/** What training sees of the data. */
export interface TrainingPatterns {
  /** Of pairs drawn at random. */
  readonly random: PatternCounts;
  /** Of the pairs of each blocking rule, with the comparisons that read what the rule reads. */
  readonly blocks: readonly { readonly counts: PatternCounts; readonly heldOut: ReadonlySet<number> }[];
  /** Of all compared pairs, each once. */
  readonly compared: PatternCounts;
  /** How many pairs there are to compare, blocked or not. */
  readonly allPairs: number;
}

/**
 * How often m, the prior and u are estimated in turn. The first u holds the few matches among the random pairs; from
 * the second round on they are taken out.
 */
const ROUNDS = 4;

/** Counts added to every level, so that one that was never seen is unlikely and not impossible. */
const UNSEEN = 0.5;

/**
 * Estimates the weights of a model without labelled pairs, by the procedure of Splink (its documentation,
 * "Estimating model parameters"): u from random pairs; m by expectation-maximisation within the pairs of each blocking
 * rule, with the comparisons held out that read what the rule reads. Expected counts are added over the rules. Going
 * beyond it, the random pairs that look like matches are weighed out of u, which matters in small files with many
 * duplicates. The prior is the share of all pairs that the compared ones among them are expected to match.
 *
 * @throws MODEL_UNTRAINABLE when a comparison is held out of every rule, or no pair shows evidence for it
 */
export function trainModel(model: Model, patterns: TrainingPatterns): TrainedModel {
  const sizes = model.comparisons.map(({ levels }) => levels.length);
  let u = levelShares(patterns.random, sizes, () => 1);
  let trained = weigh(model, u, u, 0.5);
  for (let round = 0; round < ROUNDS; round++) {
    const m = estimateM(model, patterns, u);
    const prior = estimatePrior(patterns.compared, m, u, patterns.allPairs);
    trained = weigh(model, m, u, prior);
    u = levelShares(patterns.random, sizes, (vector) => 1 - posterior(vector, m, u, prior));
  }
  return trained;
}

/**
 * The share of all pairs that match, given m and u: the fixed point of expected matches among the compared pairs over
 * all pairs. Matches that no blocking rule brings together are not counted, so it errs on the careful side.
 *
 * @param allPairs how many pairs there are, compared or not
 */
export function estimatePrior(
  compared: PatternCounts,
  m: LevelProbabilities,
  u: LevelProbabilities,
  allPairs: number,
): number {
  const vectors = [...compared].map(([pattern, count]) => ({
    vector: unpackPattern(pattern, m.length),
    count,
  }));
  const least = 1 / Math.max(2, 2 * allPairs);
  let prior = Math.max(least, 0.5 / Math.sqrt(Math.max(1, allPairs)));
  for (let iteration = 0; iteration < 200; iteration++) {
    let matches = 0;
    for (const { vector, count } of vectors) matches += count * posterior(vector, m, u, prior);
    const next = Math.min(0.999, Math.max(least, matches / Math.max(1, allPairs)));
    const settled = Math.abs(next - prior) < 1e-9 * prior;
    prior = next;
    if (settled) break;
  }
  return prior;
}

function estimateM(model: Model, patterns: TrainingPatterns, u: LevelProbabilities): LevelProbabilities {
  const expected = u.map((levels) => levels.map(() => 0));
  for (const { counts, heldOut } of patterns.blocks) {
    const result = maximiseExpectation({ counts, heldOut, u, start: startingPoint(u) });
    expected.forEach((row, at) => {
      row.forEach((count, level) => {
        row[level] = count + (result.expected[at]?.[level] ?? 0);
      });
    });
  }
  return expected.map((row, at) => {
    const sum = row.reduce((all, count) => all + count, 0);
    if (sum < 1) {
      const name = model.comparisons[at]?.name;
      throw new PopshareError(
        'MODEL_UNTRAINABLE',
        `model ${model.model}: no blocking rule brings evidence for the comparison "${name}"`,
      );
    }
    return row.map((count) => (count + UNSEEN) / (sum + UNSEEN * row.length));
  });
}

function levelShares(
  counts: PatternCounts,
  sizes: readonly number[],
  weightOf: (vector: Uint8Array) => number,
): LevelProbabilities {
  const seen = sizes.map((levels) => new Array<number>(levels).fill(UNSEEN));
  for (const [pattern, count] of counts) {
    const vector = unpackPattern(pattern, sizes.length);
    const weight = count * weightOf(vector);
    seen.forEach((row, at) => {
      const level = vector[at] ?? 0;
      if (level > 0) row[level - 1] = (row[level - 1] ?? 0) + weight;
    });
  }
  return seen.map((row) => {
    const sum = row.reduce((all, count) => all + count, 0);
    return row.map((count) => count / sum);
  });
}

function posterior(vector: Uint8Array, m: LevelProbabilities, u: LevelProbabilities, prior: number): number {
  const all = m.map((_, at) => at);
  const match = prior * likelihood(vector, m, all);
  return match / (match + (1 - prior) * likelihood(vector, u, all));
}

function weigh(model: Model, m: LevelProbabilities, u: LevelProbabilities, prior: number): TrainedModel {
  const comparisons = model.comparisons.map((comparison, at) => ({
    ...comparison,
    levels: comparison.levels.map((level, index) => ({
      ...level,
      m: m[at]?.[index] ?? 0,
      u: u[at]?.[index] ?? 0,
    })),
  }));
  return { ...model, comparisons, prior };
}
