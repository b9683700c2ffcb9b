import { type Pattern, unpackPattern } from './pattern.ts';
import { levelBits, patternWeight, type TrainedModel } from './weights.ts';

/** One comparison that would have to come out otherwise. */
export interface TippingChange {
  readonly comparison: string;
  /** The level that holds now; null when there is no evidence. */
  readonly from: string | null;
  readonly to: string;
  readonly label: { readonly zh: string; readonly en: string };
  /** What the change adds to the weight, in bits; below 0 when it takes away. */
  readonly bits: number;
}

interface Option {
  readonly at: number;
  readonly level: number;
  readonly bits: number;
}

/**
 * What would change the outcome: the fewest comparisons whose other level would bring a pair at or above the join
 * threshold below the split threshold, or any other pair up to the join threshold; each no further than needed.
 *
 * @returns empty when no evidence could
 */
export function tippingChanges(model: TrainedModel, pattern: Pattern): TippingChange[] {
  const weight = patternWeight(model, pattern);
  const { join, split } = model.thresholds;
  const sign = weight >= join ? -1 : 1;
  const isOver = (sum: number): boolean => (sign > 0 ? sum >= join : sum < split);

  const ranked = model.comparisons
    .map((_, at) => optionsOf(model, pattern, at, sign))
    .filter((options) => options.length > 0)
    .sort((left, right) => sign * ((right.at(-1)?.bits ?? 0) - (left.at(-1)?.bits ?? 0)));
  let sum = weight;
  const needed = ranked.filter((options) => {
    if (isOver(sum)) return false;
    sum += options.at(-1)?.bits ?? 0;
    return true;
  });
  if (!isOver(sum)) return [];

  const chosen = needed.map((options) => {
    const most = options.at(-1)?.bits ?? 0;
    const mildest = options.find(({ bits }) => isOver(sum - most + bits));
    sum += (mildest?.bits ?? most) - most;
    return mildest ?? options.at(-1);
  });
  return chosen.flatMap((option) => (option === undefined ? [] : describe(model, pattern, option)));
}

/** The other levels of a comparison that move the weight in the direction of `sign`, the mildest first. */
function optionsOf(model: TrainedModel, pattern: Pattern, at: number, sign: number): Option[] {
  const levels = model.comparisons[at]?.levels ?? [];
  const now = levels[(unpackPattern(pattern, model.comparisons.length)[at] ?? 0) - 1];
  const present = now === undefined ? 0 : levelBits(now);
  return levels
    .map((level, index) => ({ at, level: index, bits: levelBits(level) - present }))
    .filter(({ bits }) => sign * bits > 0)
    .sort((left, right) => sign * (left.bits - right.bits));
}

function describe(model: TrainedModel, pattern: Pattern, { at, level, bits }: Option): TippingChange[] {
  const comparison = model.comparisons[at];
  const to = comparison?.levels[level];
  if (comparison === undefined || to === undefined) return [];
  const from = comparison.levels[(unpackPattern(pattern, model.comparisons.length)[at] ?? 0) - 1];
  const [fromZh, fromEn] = from === undefined ? ['缺失', 'missing'] : [from.zh ?? from.level, from.level];
  return [
    {
      comparison: comparison.name,
      from: from?.level ?? null,
      to: to.level,
      label: {
        zh: `${comparison.zh ?? comparison.name}：由“${fromZh}”变为“${to.zh ?? to.level}”`,
        en: `${comparison.name}: ${fromEn} → ${to.level}`,
      },
      bits,
    },
  ];
}
