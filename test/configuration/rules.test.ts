import { mkdir, rm, writeFile } from 'node:fs/promises';
import { beforeEach, describe, expect, test } from 'vitest';
import { loadRules, parseRule } from '../../src/anomalies/rule-file.ts';
import { useConfiguration } from './site.ts';

const site = useConfiguration();
const RULE = `/*
rule: DQ13
title: { zh: 超高龄未注销, en: Very old and registered }
severity: medium
owner: public-security
evaluates: everything
parameters: { oldest_years: 115 }
definition: local, older than the oldest
resolved_by: cancelling the registration
*/
-- A comment is no harm.
SELECT source_key AS subject FROM identity.mention
WHERE birth_date < :as_of::date - :oldest_years * interval '1 year' AND :as_of > '2000-01-01'
`;

beforeEach(async () => {
  await rm(site.file('rules'), { recursive: true, force: true });
  await mkdir(site.file('rules'));
});

test('a rule is read with its parameters numbered; a cast is no parameter', () => {
  const rule = parseRule(RULE, 'DQ13.sql');
  expect(rule).toMatchObject({ rule: 'DQ13', severity: 'medium', evaluates: 'everything' });
  expect(rule.select).toContain(`$1::date - $2 * interval '1 year' AND $1 > '2000-01-01'`);
  expect(rule.bind('2026-11-18')).toEqual(['2026-11-18', 115]);
});

test('a rule wakes for dates, so long after them as a number or a parameter says', () => {
  const wakes = [
    '{ feed: death_registration, field: died_on, days: 31, years: oldest_years }',
    '{ picture: sign, field: until, alone: true }',
  ].join(', ');
  const rule = parseRule(RULE.replace('parameters:', `wakes: [${wakes}]\nparameters:`), 'DQ13.sql');
  expect(rule.wakes).toEqual([
    {
      feed: 'death_registration',
      picture: null,
      field: 'died_on',
      days: 31,
      months: 0,
      years: 115,
      alone: false,
    },
    { feed: null, picture: 'sign', field: 'until', days: 0, months: 0, years: 0, alone: true },
  ]);
});

test('a change anywhere in the file makes it another rule', () => {
  const [one, other] = [parseRule(RULE, 'DQ13.sql'), parseRule(RULE.replace('115', '110'), 'DQ13.sql')];
  expect(one.digest).not.toBe(other.digest);
});

describe('a wrong rule file is refused with file, line and what was expected', () => {
  test.each([
    ['no header', '/*\n', '', /DQ13\.sql:1: expected a header comment/],
    ['a severity that is none', 'severity: medium', 'severity: huge', /DQ13\.sql:4: severity: .*"high"/],
    ['a code that is none', 'rule: DQ13', 'rule: D13', /DQ13\.sql:2: rule: expected a code such as DQ01/],
    [
      'the code of another file',
      'rule: DQ13',
      'rule: DQ12',
      /DQ13\.sql:2: expected the file name to begin with DQ12/,
    ],
    [
      'a wake of a feed that is none',
      'parameters:',
      'wakes: [{ feed: deaths, field: died_on }]\nparameters:',
      /DQ13\.sql:7: wakes\.0\.feed: expected a feed, found deaths/,
    ],
    [
      'a wake of a field that is no date',
      'parameters:',
      'wakes: [{ feed: death_registration, field: name }]\nparameters:',
      /DQ13\.sql:7: wakes\.0\.field: expected a date of death_registration, found name/,
    ],
    [
      'a wake after a parameter that is not declared',
      'parameters:',
      'wakes: [{ feed: death_registration, field: died_on, days: days }]\nparameters:',
      /DQ13\.sql:2: wakes: days: expected a number, or a parameter that is one, found days/,
    ],
    ['a key missing', 'owner: public-security\n', '', /DQ13\.sql:\d+: owner: /],
    ['a key that nobody knows', 'owner:', 'ouner:', /DQ13\.sql:\d+: .*ouner/],
    ['a header that is no YAML', 'definition: local', 'definition: [local', /DQ13\.sql:\d+: not YAML/],
    [
      'a parameter that is not declared',
      ':oldest_years',
      ':oldest',
      /DQ13\.sql:11: :oldest is no parameter of the header/,
    ],
    ['two statements', '-- A comment', 'SELECT 1; -- A comment', /DQ13\.sql:11: expected one statement/],
    ['no SELECT', 'SELECT source_key', 'DELETE', /DQ13\.sql:11: expected one SELECT/],
  ])('%s', async (_what, text, by, expected) => {
    await writeFile(site.file('rules/DQ13.sql'), RULE.replace(text, by));
    await expect(loadRules(site.file('rules'))).rejects.toMatchObject({
      code: 'CONFIG_INVALID',
      exitCode: 2,
      message: expect.stringMatching(expected),
    });
  });

  test('two files with one code', async () => {
    await writeFile(site.file('rules/DQ13.sql'), RULE);
    await writeFile(site.file('rules/DQ13-again.sql'), RULE);
    await expect(loadRules(site.file('rules'))).rejects.toMatchObject({
      message: expect.stringContaining('DQ13 is the code of'),
    });
  });
});
