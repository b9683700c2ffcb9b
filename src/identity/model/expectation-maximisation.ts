import { type PatternCounts, unpackPattern } from './pattern.ts';

/** For each comparison, the probability of each of its levels, the first level first. They add up to 1. */
export type LevelProbabilities = readonly (readonly number[])[];

export interface ExpectationMaximisationOptions {
  readonly counts: PatternCounts;
  /** Among pairs of different subjects; stays as it is. */
  readonly u: LevelProbabilities;
  /** Which comparisons carry no information here, because the pairs were chosen by what they compare. */
  readonly heldOut: ReadonlySet<number>;
  readonly start: { readonly share: number; readonly m: LevelProbabilities };
}

export interface ExpectationMaximisationResult {
  /** The share of pairs that are matches. */
  readonly share: number;
  /** Among matches; of held-out comparisons the start. */
  readonly m: LevelProbabilities;
  /** How many matches are expected to show each level, of the comparisons not held out. */
  readonly expected: LevelProbabilities;
  /** After each iteration, natural logarithm; it never falls. */
  readonly logLikelihoods: readonly number[];
}

const MOST_ITERATIONS = 500;
/** The largest change of a parameter that still counts as none. */
const TOLERANCE = 1e-7;

/**
 * Estimates m and the share of matches of the Fellegi–Sunter model from patterns alone (Fellegi & Sunter 1969;
 * expectation-maximisation after Dempster, Laird & Rubin 1977 and Winkler 1988). Comparisons are independent given
 * match or non-match; a missing one is left out of its pattern's likelihood. No randomness: the same counts give the
 * same result, in whatever order the map holds them.
 */
export function maximiseExpectation(options: ExpectationMaximisationOptions): ExpectationMaximisationResult {
  const patterns = [...options.counts].sort(([a], [b]) => (a < b ? -1 : 1));
  const vectors = patterns.map(([pattern]) => unpackPattern(pattern, options.u.length));
  const counts = patterns.map(([, count]) => count);
  const total = counts.reduce((sum, count) => sum + count, 0);
  const active = options.u.map((_, at) => at).filter((at) => !options.heldOut.has(at));
  let share = options.start.share;
  let m: LevelProbabilities = options.start.m;
  let expected: number[][] = options.u.map((levels) => levels.map(() => 0));
  const logLikelihoods: number[] = [];
  for (let iteration = 0; iteration < MOST_ITERATIONS && total > 0; iteration++) {
    expected = options.u.map((levels) => levels.map(() => 0));
    let matches = 0;
    let logLikelihood = 0;
    vectors.forEach((vector, index) => {
      const count = counts[index] ?? 0;
      const match = share * likelihood(vector, m, active);
      const either = match + (1 - share) * likelihood(vector, options.u, active);
      const posterior = either > 0 ? match / either : 0;
      matches += count * posterior;
      logLikelihood += count * Math.log(Math.max(either, Number.MIN_VALUE));
      for (const at of active) {
        const level = vector[at] ?? 0;
        const row = expected[at];
        if (level > 0 && row !== undefined) row[level - 1] = (row[level - 1] ?? 0) + count * posterior;
      }
    });
    logLikelihoods.push(logLikelihood);
    const next = expected.map((levels, at) =>
      options.heldOut.has(at) ? (m[at] ?? []) : shares(levels, m[at] ?? []),
    );
    const change = Math.max(Math.abs(matches / total - share), largestChange(m, next));
    share = matches / total;
    m = next;
    if (change < TOLERANCE) break;
  }
  return { share, m, expected, logLikelihoods };
}

/** Where to start when nothing is known: matches mostly agree, and the weaker a level the rarer it is. */
export function startingPoint(u: LevelProbabilities): { share: number; m: LevelProbabilities } {
  const m = u.map((levels) => {
    const falling = levels.map((_, at) => 0.25 ** at);
    return shares(falling, falling);
  });
  return { share: 0.1, m };
}

/** Of a vector under the probabilities of its levels; missing comparisons and those not `active` count for nothing. */
export function likelihood(
  vector: Uint8Array,
  probabilities: LevelProbabilities,
  active: readonly number[],
): number {
  let product = 1;
  for (const at of active) {
    const level = vector[at] ?? 0;
    if (level > 0) product *= probabilities[at]?.[level - 1] ?? 0;
  }
  return product;
}

/** Counts as shares of their sum; where there are none, what was believed before. */
function shares(counts: readonly number[], otherwise: readonly number[]): readonly number[] {
  const sum = counts.reduce((all, count) => all + count, 0);
  return sum > 0 ? counts.map((count) => count / sum) : otherwise;
}

/** The largest difference between two probabilities of the same level. */
export function largestChange(before: LevelProbabilities, after: LevelProbabilities): number {
  let largest = 0;
  before.forEach((levels, at) => {
    levels.forEach((value, level) => {
      largest = Math.max(largest, Math.abs(value - (after[at]?.[level] ?? 0)));
    });
  });
  return largest;
}
