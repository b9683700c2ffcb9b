import { CONTRACTS } from '../schema/contracts/index.ts';
import { type CodeList, SEX_CODES } from '../schema/standards/codes.ts';

/** Values of evidence that are codes although no contract has a field of that name. */
const CODES: Readonly<Record<string, CodeList>> = {
  recorded_sex: SEX_CODES,
  sex_in_id_number: SEX_CODES,
};

/** What rules say in English words, for programs; people read it in Chinese. */
const PHRASES: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  alike: { sound: '读音相近', shape: '字形相近' },
  birth_date: { impossible: '不存在的日期', 'in the future': '晚于今天' },
  contradiction: { 'after death': '死亡之后', 'before birth': '出生之前' },
  expected_by: { 'household register': '户籍登记', 'most records': '多数记录' },
  in_common: {
    phone: '同一电话',
    parent: '同一父母',
    spouse: '同一配偶',
    address: '同一地址',
    household: '同一户号',
  },
  slip: {
    'one digit wrong': '一位数字有误',
    'one digit missing': '少一位数字',
    'one digit too many': '多一位数字',
    'two digits swapped': '相邻两位颠倒',
  },
};

/**
 * What a value of evidence means: the word for a code, for a feed, or for a phrase of a rule; null when it is no
 * such thing.
 *
 * @param key as the rule named it, such as `insurance_kind`, or `other_insurance_kind` for a second one
 * @param feed of the case's record, where several feeds have codes under one name
 */
export function wordOfValue(key: string, value: unknown, feed: string | null): string | null {
  if (typeof value === 'boolean') return value ? '是' : '否';
  if (typeof value !== 'string') return null;
  const field = key.replace(/^other_/, '');
  if (field === 'feed') return CONTRACTS.find((contract) => contract.feed === value)?.title.zh ?? null;
  const name = codesOf(field, feed)?.[value]?.zh;
  // A code that reads as itself needs no explanation.
  if (name !== undefined && name !== value) return `${value} ${name}`;
  return PHRASES[field]?.[value] ?? null;
}

/** The codes of the feed's field; otherwise those of the only feed, or of all feeds alike, that have the field. */
function codesOf(field: string, feed: string | null): CodeList | null {
  const own = CONTRACTS.find((contract) => contract.feed === feed)?.fields[field]?.codes;
  if (own) return own;
  if (CODES[field] !== undefined) return CODES[field];
  const lists = new Set(
    CONTRACTS.flatMap(({ fields }) => (fields[field]?.codes ? [fields[field].codes] : [])),
  );
  const [only] = lists;
  return only !== undefined && lists.size === 1 ? only : null;
}
