import { expect, test } from 'vitest';
import { describeEvidence } from '../../src/anomalies/evidence-text.ts';
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
  expect(describeEvidence(evidence)).toBe(
    '死亡日期：2026-03-01；另一记录：（报送项：housing_lease；姓名：王*）；记录数：H1、H2；unheard_of：1',
  );
});
