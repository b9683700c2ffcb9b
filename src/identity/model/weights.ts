import { PopshareError } from '../../schema/errors.ts';
import type { Comparison, Model } from './model-file.ts';
import { type Pattern, unpackPattern } from './pattern.ts';

type Weighted<Level> = Level & { readonly m: number; readonly u: number };

/** A model whose levels all have m and u, and which has a prior. */
export interface TrainedModel extends Omit<Model, 'comparisons' | 'prior'> {
  readonly comparisons: readonly (Omit<Comparison, 'levels'> & {
    readonly levels: Weighted<Comparison['levels'][number]>[];
  })[];
  readonly prior: number;
}

/** One step of a waterfall: what one comparison adds to the weight. */
export interface WeightPart {
  /** `prior`, or the comparison's name. */
  readonly comparison: string;
  /** The level that holds; null when there is no evidence. */
  readonly level: string | null;
  readonly label: { readonly zh: string; readonly en: string };
  /** Of the level alone. */
  readonly bits: number;
  /** What the frequency of the agreeing value adds; 0 unless the comparison looks at it. */
  readonly frequencyBits: number;
  /** The weight up to and with this part. */
  readonly sum: number;
}

/** Whether every level has its weights; the prior may still be missing. */
export function hasWeights(model: Model): boolean {
  return model.comparisons.every(({ levels }) =>
    levels.every(({ m, u }) => m !== undefined && u !== undefined),
  );
}

/**
 * The model with every weight in place.
 *
 * @param prior used when the model has none of its own
 * @throws MODEL_UNTRAINED when a level has no m or u, or there is no prior at all
 */
export function withWeights(model: Model, prior?: number): TrainedModel {
  const missing = (what: string): PopshareError =>
    new PopshareError('MODEL_UNTRAINED', `model ${model.model} has no ${what}`);
  const known = model.prior ?? prior;
  if (known === undefined) throw missing('prior');
  const comparisons = model.comparisons.map((comparison) => ({
    ...comparison,
    levels: comparison.levels.map((level) => {
      if (level.m === undefined || level.u === undefined)
        throw missing(`m and u for "${comparison.name}", level "${level.level}"`);
      return { ...level, m: level.m, u: level.u };
    }),
  }));
  return { ...model, comparisons, prior: known };
}

/** log2(m / u): the evidence of a level, in bits (Fellegi & Sunter 1969). */
export function levelBits({ m, u }: { readonly m: number; readonly u: number }): number {
  return Math.log2(m / u);
}

/** The prior odds in bits: where the waterfall begins. */
export function priorBits(prior: number): number {
  return Math.log2(prior / (1 - prior));
}

/** The match weight of a pattern in bits: prior odds and the evidence of all levels, without term frequencies. */
export function patternWeight(model: TrainedModel, pattern: Pattern): number {
  let weight = priorBits(model.prior);
  unpackPattern(pattern, model.comparisons.length).forEach((number, at) => {
    const level = model.comparisons[at]?.levels[number - 1];
    if (level !== undefined) weight += levelBits(level);
  });
  return weight;
}

/** The probability of a match, from its weight in bits. */
export function weightProbability(weight: number): number {
  return 1 / (1 + 2 ** -weight);
}

/**
 * What the frequency of an agreeing value adds to its level's bits, in bits.
 *
 * @param u of the comparison's first level
 * @param frequency the value's share among all records, 0 … 1
 */
export function frequencyBits(u: number, frequency: number): number {
  return frequency > 0 ? Math.log2(u / frequency) : 0;
}

/**
 * Why a pair weighs what it weighs: the prior, then each comparison in the model's order. The last part's `sum` is
 * the weight.
 *
 * @param frequencies of the agreeing values, by the comparison's name; only those with `term_frequency` are looked at
 */
export function explainPattern(
  model: TrainedModel,
  pattern: Pattern,
  frequencies: ReadonlyMap<string, number> = new Map(),
): WeightPart[] {
  let sum = priorBits(model.prior);
  const start: WeightPart = {
    comparison: 'prior',
    level: null,
    label: { zh: '先验：任取两条记录为同一人', en: 'prior: two records at random' },
    bits: sum,
    frequencyBits: 0,
    sum,
  };
  const levels = unpackPattern(pattern, model.comparisons.length);
  const parts = model.comparisons.map((comparison, at): WeightPart => {
    const number = levels[at] ?? 0;
    const level = comparison.levels[number - 1];
    const frequency = frequencies.get(comparison.name);
    const adjusted = number === 1 && comparison.term_frequency !== undefined && frequency !== undefined;
    const bits = level === undefined ? 0 : levelBits(level);
    const extra = adjusted && level !== undefined ? frequencyBits(level.u, frequency) : 0;
    sum += bits + extra;
    return {
      comparison: comparison.name,
      level: level?.level ?? null,
      label: {
        zh: `${comparison.zh ?? comparison.name}：${level === undefined ? '缺失' : (level.zh ?? level.level)}`,
        en: `${comparison.name}: ${level?.level ?? 'missing'}`,
      },
      bits,
      frequencyBits: extra,
      sum,
    };
  });
  return [start, ...parts];
}
