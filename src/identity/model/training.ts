import { PopshareError } from '../../schema/errors.ts';
import {
  type LevelProbabilities,
  largestChange,
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
  /** Of pairs that are known to match by evidence that no comparison in them shows. */
  readonly known?: PatternCounts;
  /** Of all compared pairs, each once. */
  readonly compared: PatternCounts;
  /** How many pairs there are to compare, blocked or not. */
  readonly allPairs: number;
}

/** Rounds of refinement at most, and the largest change of a probability that ends them. */
const MOST_ROUNDS = 50;
const SETTLED = 1e-4;

/** Counts added to every level, so that one that was never seen is unlikely and not impossible. */
const UNSEEN = 0.5;

/**
 * Estimates the weights of a model without labelled pairs.
 *
 * First by the procedure of Splink (its documentation, "Estimating model parameters"): u from random pairs; m by
 * expectation-maximisation within the pairs of each blocking rule, with the comparisons held out that read what the
 * rule reads; expected counts are added over the rules. Each rule there judges its pairs without the evidence that it
 * selects by, so that pairs which agree for another reason (a family at one address) can pass for matches.
 *
 * Therefore it is refined until it settles: every pair is judged by all its evidence and the prior; m is counted anew,
 * of each comparison over the rules that do not select by it; the random pairs that look like matches are weighed out
 * of u; and the prior is the share of all pairs that the compared ones among them are expected to match.
 *
 * Pairs that are known to match are where expectation-maximisation starts from, and count in full all along.
 *
 * A comparison of which no pair tells anything (a site that does not receive its feeds) keeps the weights that the model
 * has for it.
 *
 * @throws MODEL_UNTRAINABLE when a comparison is held out of every rule, or no match shows evidence for it, unless no
 *   pair does and the model has weights for it
 */
export function trainModel(model: Model, patterns: TrainingPatterns): TrainedModel {
  const sizes = model.comparisons.map(({ levels }) => levels.length);
  const silent = silentComparisons(model, patterns);
  const known = countLevels(patterns.known ?? new Map(), sizes, new Set(), () => 1);
  let u = shares(countLevels(patterns.random, sizes, new Set(), () => 1));
  let m = shares(trainable(model, [known, ...countWithinBlocks(patterns, u, known)], silent));
  let prior = estimatePrior(patterns.compared, m, u, patterns.allPairs);
  for (let round = 0; round < MOST_ROUNDS; round++) {
    const before = { m, u, prior };
    const match = (vector: Uint8Array): number => posterior(vector, before.m, before.u, before.prior);
    u = shares(countLevels(patterns.random, sizes, new Set(), (vector) => 1 - match(vector)));
    const counts = patterns.blocks.map((block) => countLevels(block.counts, sizes, block.heldOut, match));
    m = shares(trainable(model, [known, ...counts], silent));
    prior = estimatePrior(patterns.compared, m, u, patterns.allPairs);
    if (largestChange(before.m, m) < SETTLED) break;
  }
  return weigh(model, m, u, prior, silent);
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

/** Counts of levels, one row for each comparison. */
type LevelCounts = readonly (readonly number[])[];

/** @param known counts of matches; a comparison of which they show nothing starts from what is likely */
function countWithinBlocks(
  patterns: TrainingPatterns,
  u: LevelProbabilities,
  known: LevelCounts,
): LevelCounts[] {
  const likely = startingPoint(u);
  const seen = shares(known);
  const m = known.map((row, at) => (row.some((count) => count > 0) ? seen[at] : likely.m[at]) ?? []);
  return patterns.blocks.map(({ counts, heldOut }) => {
    return maximiseExpectation({ counts, heldOut, u, start: { ...likely, m } }).expected;
  });
}

function countLevels(
  counts: PatternCounts,
  sizes: readonly number[],
  heldOut: ReadonlySet<number>,
  weightOf: (vector: Uint8Array) => number,
): LevelCounts {
  const seen = sizes.map((levels) => new Array<number>(levels).fill(0));
  for (const [pattern, count] of [...counts].sort(([a], [b]) => (a < b ? -1 : 1))) {
    const vector = unpackPattern(pattern, sizes.length);
    const weight = count * weightOf(vector);
    seen.forEach((row, at) => {
      const level = heldOut.has(at) ? 0 : (vector[at] ?? 0);
      if (level > 0) row[level - 1] = (row[level - 1] ?? 0) + weight;
    });
  }
  return seen;
}

/** The comparisons that have weights, and of which no pair tells anything: these weights stay. */
function silentComparisons(model: Model, { random, blocks, known, compared }: TrainingPatterns): Set<number> {
  const told = new Set<number>();
  for (const counts of [random, known ?? new Map(), compared, ...blocks.map((block) => block.counts)])
    for (const pattern of counts.keys())
      unpackPattern(pattern, model.comparisons.length).forEach((level, at) => {
        if (level > 0) told.add(at);
      });
  const weighted = model.comparisons.flatMap(({ levels }, at) =>
    levels.every(({ m, u }) => m !== undefined && u !== undefined) ? [at] : [],
  );
  return new Set(weighted.filter((at) => !told.has(at)));
}

/** The sum over the rules. @throws MODEL_UNTRAINABLE when a comparison has less than one expected match */
function trainable(model: Model, counts: readonly LevelCounts[], silent: ReadonlySet<number>): LevelCounts {
  return model.comparisons.map(({ name, levels }, at) => {
    const sums = levels.map((_, level) => counts.reduce((sum, rows) => sum + (rows[at]?.[level] ?? 0), 0));
    if (!silent.has(at) && sums.reduce((sum, count) => sum + count, 0) < 1) {
      throw new PopshareError(
        'MODEL_UNTRAINABLE',
        `model ${model.model}: no blocking rule brings evidence for the comparison "${name}"`,
      );
    }
    return sums;
  });
}

function shares(counts: LevelCounts): LevelProbabilities {
  return counts.map((row) => {
    const sum = row.reduce((all, count) => all + count + UNSEEN, 0);
    return row.map((count) => (count + UNSEEN) / sum);
  });
}

function posterior(vector: Uint8Array, m: LevelProbabilities, u: LevelProbabilities, prior: number): number {
  const all = m.map((_, at) => at);
  const match = prior * likelihood(vector, m, all);
  return match / (match + (1 - prior) * likelihood(vector, u, all));
}

function weigh(
  model: Model,
  m: LevelProbabilities,
  u: LevelProbabilities,
  prior: number,
  silent: ReadonlySet<number>,
): TrainedModel {
  const comparisons = model.comparisons.map((comparison, at) => ({
    ...comparison,
    levels: comparison.levels.map((level, index) => ({
      ...level,
      m: (silent.has(at) ? level.m : m[at]?.[index]) ?? 0,
      u: (silent.has(at) ? level.u : u[at]?.[index]) ?? 0,
    })),
  }));
  return { ...model, comparisons, prior };
}
