import type { Comparison, Model } from './model-file.ts';
import { BITS } from './pattern.ts';
import type { TrainedModel } from './weights.ts';

/**
 * The comparison vector of a pair as one SQL expression of type bigint (see pattern.ts), over the rows `l` and `r` of
 * a table of features: `SELECT …, <this> AS pattern FROM pair JOIN feature l … JOIN feature r …`.
 *
 * What the levels call (jaro_winkler, levenshtein …) must be on the search path.
 */
export function patternSql(model: { readonly comparisons: readonly Comparison[] }): string {
  return model.comparisons
    .map((comparison, at) => `(${levelSql(comparison)})::bigint << ${BITS * at}`)
    .map((shifted) => `(${shifted})`)
    .join('\n    | ');
}

/**
 * Of several comparison vectors the best level (the smallest number above 0), comparison by comparison, as one SQL
 * aggregate of type bigint.
 *
 * @param pattern the expression that gives each vector
 */
export function bestLevelsSql(model: { readonly comparisons: readonly unknown[] }, pattern: string): string {
  return model.comparisons
    .map((_, at) => `coalesce(min(nullif((${pattern} >> ${BITS * at}) & 15, 0)), 0) << ${BITS * at}`)
    .map((best) => `(${best})`)
    .join(' | ');
}

/** The level that holds: 0 when there is no evidence, else its number from the top. A condition that is null fails. */
function levelSql(comparison: Comparison): string {
  const conditions = comparison.levels.slice(0, -1).map(({ when }, at) => `WHEN (${when}) THEN ${at + 1}`);
  return `CASE WHEN ${missingSql(comparison)} THEN 0 ${conditions.join(' ')} ELSE ${comparison.levels.length} END`;
}

function missingSql({ of, missing }: Comparison): string {
  if (missing !== undefined) return `(${missing})`;
  return (of ?? []).map((name) => `l.${name} IS NULL OR r.${name} IS NULL`).join(' OR ');
}

/** The column of the feature table that holds how frequent a record's value is among all records, 0 … 1. */
export function frequencyColumn(name: string): string {
  return `frequency_of_${name}`;
}

/** The columns whose frequency the model asks for. */
export function frequencyColumns(model: Pick<Model, 'comparisons'>): string[] {
  return [...new Set(model.comparisons.flatMap(({ term_frequency }) => term_frequency ?? []))];
}

/**
 * The bits that the frequency of the agreeing values adds to a pair's weight, as an SQL expression over `pattern` and
 * the row `l` of features with their frequency columns: log2(u / frequency) for each comparison that stands on its
 * first level, so that a rare name counts for more than a common one (Winkler 2000, "Frequency-based matching").
 */
export function frequencyBitsSql(model: TrainedModel, pattern: string): string {
  const parts = model.comparisons.flatMap(({ term_frequency, levels }, at) => {
    if (term_frequency === undefined) return [];
    const frequency = `l.${frequencyColumn(term_frequency)}`;
    return `CASE WHEN (${pattern} >> ${BITS * at}) & 15 = 1 AND ${frequency} > 0
      THEN ln(${levels[0]?.u ?? 1} / ${frequency}) / ln(2::float8) ELSE 0 END`;
  });
  return parts.length === 0 ? '0::float8' : parts.join(' + ');
}
