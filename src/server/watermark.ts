import type { Principal } from './access.ts';
import type { PURPOSES } from './schemas.ts';

type Purpose = (typeof PURPOSES)[number];

const WORDS: Readonly<Record<Purpose, string>> = {
  case: '疑点办理',
  review: '关联复核',
  correction: '数据校核',
  'request of the person': '本人申请',
  'statistics check': '统计核对',
  supervision: '监督检查',
};

const CLOCK = new Intl.DateTimeFormat('sv-SE', {
  timeZone: 'Asia/Shanghai',
  dateStyle: 'short',
  timeStyle: 'short',
});

/**
 * What stands on everything that leaves the warehouse as a file: who took it out, when, and why.
 *
 * @param purpose null where none is asked for: there is no person in it
 */
export function watermarkOf(
  { name }: Pick<Principal, 'name'>,
  purpose: Purpose | null,
  now = new Date(),
): string {
  const why = purpose === null ? '' : `　用途：${WORDS[purpose]}`;
  return `导出人：${name}　导出时间：${CLOCK.format(now)}${why}　仅限工作使用，不得外传`;
}
