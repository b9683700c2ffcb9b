/** Pairs with their weights, heaviest first; records count from 1. */
export interface WeighedPairs {
  readonly left: Int32Array;
  readonly right: Int32Array;
  /** Bits. */
  readonly weight: Float64Array;
}

/** Which records belong together so far. */
export interface Partition {
  /** The first record of the record's cluster. */
  find(record: number): number;
}

/** More than any subject has records; a larger heap is a fault of the model, and too large to be checked whole. */
export const LARGEST_CLUSTER = 300;

/**
 * Joins records along pairs, heaviest first. Two clusters stay apart when together they would exceed
 * {@link LARGEST_CLUSTER}, or, with `inputOf`, when both have a record of the same input: so that lists without
 * duplicates match one to one, and each record goes with its best partner that is still free.
 *
 * @param records how many there are
 * @param inputOf the input of each record, at its number; null when an input may hold a subject twice
 * @param join the pairs from this weight on, in bits
 * @returns the clusters, which pairs hold (their places, in order), and how many were refused for size
 */
export function joinPairs(
  records: number,
  pairs: WeighedPairs,
  join: number,
  inputOf: Int32Array | null,
): { partition: Partition; joined: number[]; tooLarge: number } {
  const parent = Int32Array.from({ length: records + 1 }, (_, record) => record);
  const size = new Int32Array(records + 1).fill(1);
  const inputs = new Map<number, Set<number>>();
  const inputsOf = (root: number): Set<number> => inputs.get(root) ?? new Set([inputOf?.[root] ?? 0]);
  const find = (record: number): number => {
    let root = record;
    for (let above = parent[root] ?? root; above !== root; above = parent[root] ?? root) root = above;
    for (let at = record; at !== root; ) {
      const above = parent[at] ?? root;
      parent[at] = root;
      at = above;
    }
    return root;
  };
  const joined: number[] = [];
  let tooLarge = 0;
  for (let at = 0; at < pairs.weight.length && (pairs.weight[at] ?? -Infinity) >= join; at++) {
    const a = find(pairs.left[at] ?? 0);
    const b = find(pairs.right[at] ?? 0);
    if (a === b) {
      joined.push(at);
      continue;
    }
    const together = (size[a] ?? 0) + (size[b] ?? 0);
    if (together > LARGEST_CLUSTER) {
      tooLarge++;
      continue;
    }
    if (inputOf !== null) {
      const union = inputsOf(a);
      const others = inputsOf(b);
      if (!union.isDisjointFrom(others)) continue;
      inputs.set(Math.min(a, b), union.union(others));
    }
    parent[Math.max(a, b)] = Math.min(a, b);
    size[Math.min(a, b)] = together;
    joined.push(at);
  }
  return { partition: { find }, joined, tooLarge };
}

/**
 * Checks a cluster whole, by average linkage: starting from single records, the two parts with the highest mean weight
 * between them join, as long as some pair between them reaches `join` and the mean over all pairs between them reaches
 * `split`. So a chain whose ends contradict each other, or two solid groups with one bridge, stay apart.
 *
 * @param members the records of the cluster
 * @param weightOf the weight of a pair in bits; undefined when the pair may not be compared (two records of one input)
 * @returns the parts
 */
export function checkWhole(
  members: readonly number[],
  weightOf: (a: number, b: number) => number | undefined,
  thresholds: { readonly join: number; readonly split: number },
): number[][] {
  const parts = members.map((record) => [record]);
  for (;;) {
    let best: { a: number; b: number; mean: number } | undefined;
    for (let a = 0; a < parts.length; a++) {
      for (let b = a + 1; b < parts.length; b++) {
        const { mean, highest } = between(parts[a] ?? [], parts[b] ?? [], weightOf);
        if (highest < thresholds.join || mean < thresholds.split) continue;
        if (best === undefined || mean > best.mean) best = { a, b, mean };
      }
    }
    if (best === undefined) return parts;
    const [absorbed = []] = parts.splice(best.b, 1);
    parts[best.a]?.push(...absorbed);
  }
}

function between(
  a: readonly number[],
  b: readonly number[],
  weightOf: (a: number, b: number) => number | undefined,
): { mean: number; highest: number } {
  let sum = 0;
  let pairs = 0;
  let highest = -Infinity;
  for (const left of a) {
    for (const right of b) {
      const weight = weightOf(left, right);
      if (weight === undefined) continue;
      sum += weight;
      pairs++;
      highest = Math.max(highest, weight);
    }
  }
  return { mean: pairs === 0 ? -Infinity : sum / pairs, highest };
}
