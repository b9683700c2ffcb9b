import { expect, test } from 'vitest';
import { describeEvidence } from '../../src/anomalies/evidence-text.ts';
import { wordOfValue } from '../../src/anomalies/evidence-values.ts';
import { EVIDENCE_WORDS } from '../../src/anomalies/evidence-words.ts';
import { loadRules } from '../../src/anomalies/rule-file.ts';

/** The names that a rule gives to what it shows: every second argument of jsonb_build_object, from the first. */
function keysOf(select: string): string[] {
  const keys: string[] = [];
  for (const { index } of select.matchAll(/jsonb_build_object\(/g)) {
    let depth = 0;
    let argument = '';
    const given: string[] = [];
    for (const character of select.slice(index + 'jsonb_build_object'.length)) {
      if (character === '(') depth++;
      if (character === ')') depth--;
      if (depth === 0 || (depth === 1 && character === ',')) {
        given.push(argument.trim());
        argument = '';
        if (depth === 0) break;
      } else if (depth > 1 || character !== '(') argument += character;
    }
    keys.push(...given.filter((_, at) => at % 2 === 0).map((key) => key.replaceAll("'", '')));
  }
  return keys;
}

test('everything that the shipped rules show has a Chinese word', async () => {
  const rules = await loadRules('config/rules');
  const keys = rules.flatMap(({ select }) => keysOf(select)).filter((key) => /^[a-z_0-9]+$/.test(key));
  expect(keys.length).toBeGreaterThan(rules.length);
  expect(keys.filter((key) => !Object.hasOwn(EVIDENCE_WORDS, key))).toEqual([]);
});

test('evidence is one line, without what is not known; values in values are bracketed', () => {
  const evidence = {
    died_on: '2026-03-01',
    benefit_status: null,
    other_record: { feed: 'housing_lease', name: '王*' },
    records: ['H1', 'H2'],
    unheard_of: 1,
  };
  expect(describeEvidence(evidence, null)).toBe(
    '死亡日期：2026-03-01；另一记录：（报送项：房屋租赁备案；姓名：王*）；记录数：H1、H2；unheard_of：1',
  );
});

test.each([
  ['social_insurance', { status: '3', benefit_status: '1' }, '状态：3 终止；待遇状态：1 领取中'],
  ['household_register', { status: '3', marital_status: '30' }, '状态：3 死亡注销；婚姻状况：30 丧偶'],
  [
    'social_insurance',
    { insurance_kind: '170', other_insurance_kind: '110' },
    '险种：170 城乡居民养老；另一险种：110 城镇职工养老',
  ],
  [
    'housing_lease',
    { sex: '1', recorded_sex: '2', sex_in_id_number: '1' },
    '性别：1 男性；登记的性别：2 女性；证号中的性别：1 男性',
  ],
  ['village_report', { event: '外出' }, '事项：外出'],
  [
    'household_register',
    { in_common: ['phone', 'parent'], linked: true },
    '共同点：同一电话、同一父母；已关联：是',
  ],
  [
    'household_register',
    { slip: 'two digits swapped', expected_by: 'most records' },
    '笔误：相邻两位颠倒；参照记录：多数记录',
  ],
  ['household_register', { status: '77' }, '状态：77'],
  [null, { status: '3' }, '状态：3'],
])('of a case of %s, codes and phrases have words', (feed, evidence, line) => {
  expect(describeEvidence(evidence, feed)).toBe(line);
});

test('every phrase that the shipped rules show has a Chinese word', async () => {
  const phrases = (await loadRules('config/rules')).flatMap(({ rule, select }) =>
    [...select.matchAll(/THEN '([a-z ]+)'|ELSE '([a-z ]+)' END\)? AS evidence/g)].map(
      ([, first, last]) => `${rule} ${first ?? last}`,
    ),
  );
  const words = ['alike', 'birth_date', 'contradiction', 'expected_by', 'in_common', 'slip'];
  const internal = ['ID15 pension', 'DQ16 village'];
  const unknown = phrases.filter(
    (phrase) =>
      !internal.includes(phrase) && words.every((key) => wordOfValue(key, phrase.slice(5), null) === null),
  );
  expect(phrases.length).toBeGreaterThan(10);
  expect(unknown).toEqual([]);
});
