import { type RawBuilder, sql } from 'kysely';
import type { BlockingRule } from './model/model-file.ts';

/**
 * The key of a blocking rule as an SQL expression over a row `r` of features (and `element`, see {@link elementsOf}).
 *
 * @param at the rule's place in the model: it is part of the key, so that rules never meet
 */
export function blockKeySql(rule: BlockingRule, at: number): RawBuilder<unknown> {
  return sql.raw(`hashtextextended('${at}|' || ${partsOf(rule).join(` || '|' || `)}, 0)`);
}

/** `FROM` this, the rows `r` of the features: a rule with `each` makes a row for each element of its array. */
export function elementsOf(rule: BlockingRule, features: RawBuilder<unknown>): RawBuilder<unknown> {
  return rule.each === undefined
    ? sql`${features} r`
    : sql`(SELECT r.*, unnest(${sql.raw(rule.each)}) AS element FROM ${features} r) r`;
}

/** A key with a part missing is none. */
export function isGiven(rule: BlockingRule): RawBuilder<unknown> {
  return sql.raw(
    partsOf(rule)
      .map((part) => `(${part}) IS NOT NULL`)
      .join(' AND '),
  );
}

function partsOf(rule: BlockingRule): readonly string[] {
  return rule.each === undefined ? rule.keys : [...rule.keys, 'element'];
}

/** The columns of identity.feature that a rule names. */
export function columnsOf({ keys, each }: BlockingRule): string[] {
  const named = [...keys, each ?? ''].flatMap((expression) => [...expression.matchAll(/\br\.([a-z_]+)/g)]);
  return [...new Set(named.flatMap(([, name]) => name ?? []))];
}
