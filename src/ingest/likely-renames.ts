export interface LikelyRename {
  readonly from: string;
  readonly to: string;
}

/** Below this share of common characters two column names are not taken for the same column. */
const LEAST_SIMILARITY = 0.4;

/**
 * Guesses which new column is which missing one, as evidence for the officer: by the characters that the names
 * share (Dice coefficient), and, when exactly one went and one came, by that alone.
 */
export function likelyRenames(missing: readonly string[], extra: readonly string[]): LikelyRename[] {
  const [onlyMissing] = missing;
  const [onlyExtra] = extra;
  if (missing.length === 1 && extra.length === 1 && onlyMissing !== undefined && onlyExtra !== undefined) {
    return [{ from: onlyMissing, to: onlyExtra }];
  }
  return missing.flatMap((from) => {
    const best = extra
      .map((to) => ({ from, to, similarity: diceSimilarity(from, to) }))
      .toSorted((left, right) => right.similarity - left.similarity)[0];
    return best !== undefined && best.similarity >= LEAST_SIMILARITY ? [{ from, to: best.to }] : [];
  });
}

/** 2 × common characters / all characters, from 0 (none in common) to 1 (the same characters). */
function diceSimilarity(left: string, right: string): number {
  const leftCharacters = new Set(left);
  const rightCharacters = new Set(right);
  const common = leftCharacters.intersection(rightCharacters).size;
  return (2 * common) / (leftCharacters.size + rightCharacters.size);
}
