import { wordOfValue } from './evidence-values.ts';
import { EVIDENCE_WORDS } from './evidence-words.ts';

/**
 * Evidence as one line of Chinese text, for people: `死亡日期：2026-03-01；险种：170 城乡居民养老；…`.
 *
 * @param evidence as the rule returned it: values, lists and objects of values
 * @param feed of the case's record, which tells what its codes mean
 */
export function describeEvidence(evidence: Readonly<Record<string, unknown>>, feed: string | null): string {
  return Object.entries(evidence)
    .filter(([, value]) => value !== null && value !== '')
    .map(([key, value]) => `${EVIDENCE_WORDS[key] ?? key}：${describe(key, value, feed)}`)
    .join('；');
}

function describe(key: string, value: unknown, feed: string | null): string {
  if (Array.isArray(value)) return value.map((one) => describe(key, one, feed)).join('、');
  if (typeof value === 'object' && value !== null) return `（${describeEvidence({ ...value }, feed)}）`;
  return wordOfValue(key, value, feed) ?? String(value);
}
