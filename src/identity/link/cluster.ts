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
 * @param members the records of the cluster, not more than {@link LARGEST_CLUSTER}
 * @param pairs all pairs among them that may be compared, in bits
 * @returns the parts
 */
export function checkWhole(
  members: readonly number[],
  pairs: readonly { readonly left: number; readonly right: number; readonly weight: number }[],
  thresholds: { readonly join: number; readonly split: number },
): number[][] {
  const count = members.length;
  const placeOf = new Map(members.map((record, at) => [record, at]));
  // Between two parts, at the places of their first members: all three grow by adding when parts join.
  const sum = new Float64Array(count * count);
  const compared = new Int32Array(count * count);
  const highest = new Float64Array(count * count).fill(-Infinity);
  for (const { left, right, weight } of pairs) {
    const [a = 0, b = 0] = [placeOf.get(left), placeOf.get(right)];
    for (const cell of [a * count + b, b * count + a]) {
      sum[cell] = weight;
      compared[cell] = 1;
      highest[cell] = weight;
    }
  }
  const parts = new Map(members.map((record, at) => [at, [record]]));
  for (;;) {
    let best: { a: number; b: number; mean: number } | undefined;
    for (const a of parts.keys()) {
      for (const b of parts.keys()) {
        const cell = a * count + b;
        if (b <= a || (highest[cell] ?? -Infinity) < thresholds.join) continue;
        const mean = (sum[cell] ?? 0) / (compared[cell] ?? 1);
        if (mean >= thresholds.split && (best === undefined || mean > best.mean)) best = { a, b, mean };
      }
    }
    if (best === undefined) return [...parts.values()];
    const { a, b } = best;
    parts.get(a)?.push(...(parts.get(b) ?? []));
    parts.delete(b);
    for (const other of parts.keys()) {
      const from = b * count + other;
      for (const cell of [a * count + other, other * count + a]) {
        sum[cell] = (sum[cell] ?? 0) + (sum[from] ?? 0);
        compared[cell] = (compared[cell] ?? 0) + (compared[from] ?? 0);
        highest[cell] = Math.max(highest[cell] ?? -Infinity, highest[from] ?? -Infinity);
      }
    }
  }
}
