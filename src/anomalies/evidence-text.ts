import { EVIDENCE_WORDS } from './evidence-words.ts';

/**
 * Evidence as one line of Chinese text for a list on paper: `死亡日期：2026-03-01；…`.
 *
 * @param evidence as the rule returned it: values, lists and objects of values
 */
export function describeEvidence(evidence: Readonly<Record<string, unknown>>): string {
  return Object.entries(evidence)
    .filter(([, value]) => value !== null && value !== '')
    .map(([key, value]) => `${EVIDENCE_WORDS[key] ?? key}：${describe(value)}`)
    .join('；');
}

function describe(value: unknown): string {
  if (Array.isArray(value)) return value.map(describe).join('、');
  if (typeof value === 'object' && value !== null) return `（${describeEvidence({ ...value })}）`;
  return String(value);
}
