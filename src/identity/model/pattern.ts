/**
 * A comparison vector packed into one integer: four bits for each comparison, the first comparison lowest.
 * 0 = missing, 1 … = the level that holds, counted from the top.
 */
export type Pattern = bigint;

/** How many pairs show each pattern. */
export type PatternCounts = ReadonlyMap<Pattern, number>;

/** Of one comparison. */
export const BITS = 4;

/** What fits a signed bigint of Postgres. */
export const MOST_COMPARISONS = 15;
export const MOST_LEVELS = 15;

/** The levels of a pattern, one for each comparison; 0 = missing. */
export function unpackPattern(pattern: Pattern, comparisons: number): Uint8Array {
  const levels = new Uint8Array(comparisons);
  for (let at = 0; at < comparisons; at++) levels[at] = Number((pattern >> BigInt(BITS * at)) & 15n);
  return levels;
}

/** The inverse of {@link unpackPattern}. */
export function packPattern(levels: ArrayLike<number>): Pattern {
  let pattern = 0n;
  for (let at = 0; at < levels.length; at++) pattern |= BigInt(levels[at] ?? 0) << BigInt(BITS * at);
  return pattern;
}
