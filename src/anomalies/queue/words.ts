import { REPLIES } from '../corrections/words.ts';
import { ANSWERS } from '../field-checks/words.ts';
import type { Severity } from './due-dates.ts';
import { SUPPRESSION_REASONS } from './suppression.ts';
import { type Status, TRANSITIONS } from './transitions.ts';

/** What people read for a state, and for a severity. */
export const STATUS_WORDS: Readonly<Record<Status, string>> = {
  new: '新疑点',
  assigned: '已分派',
  returned: '已退回部门',
  resolved: '已办结',
  dismissed: '已排除',
};
export const SEVERITY_WORDS: Readonly<Record<Severity, string>> = {
  high: '高',
  medium: '中',
  low: '低',
  info: '提示',
};

const REASON_WORDS: ReadonlyMap<string, string> = new Map([
  ...[...TRANSITIONS.flatMap(({ reasons }) => reasons), ...SUPPRESSION_REASONS].map(
    ({ code, label }) => [code, label.zh] as const,
  ),
  ...Object.entries(REPLIES),
  ...Object.entries(ANSWERS),
]);

/** The reason of an event with its word: `correct_record 请更正记录`. */
export function reasonText(code: string | null): string {
  return code === null ? '' : `${code} ${REASON_WORDS.get(code) ?? ''}`.trimEnd();
}
