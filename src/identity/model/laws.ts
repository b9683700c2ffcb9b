import { type Law, MISSING } from './model-file.ts';
import { type Pattern, unpackPattern } from './pattern.ts';
import type { TrainedModel } from './weights.ts';

/**
 * The law of the model that forbids a pair with this pattern to be one person or thing, whatever it weighs; null when
 * none does.
 */
export function brokenLaw(
  { comparisons, cannot_link }: Pick<TrainedModel, 'comparisons' | 'cannot_link'>,
  pattern: Pattern,
): Law | null {
  const numbers = unpackPattern(pattern, comparisons.length);
  const standing = new Map(
    comparisons.map(({ name, levels }, at) => [name, levels[(numbers[at] ?? 0) - 1]?.level ?? MISSING]),
  );
  const isBroken = ({ when }: Law): boolean =>
    Object.entries(when).every(([name, levels]) => levels.includes(standing.get(name) ?? MISSING));
  return cannot_link.find(isBroken) ?? null;
}
