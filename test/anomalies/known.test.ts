import { describe, expect, test } from 'vitest';
import { readFilter } from '../../src/anomalies/queue/filter.ts';
import { requireKnown, requireKnownPlace } from '../../src/anomalies/queue/known.ts';
import { inCounty } from '../cli/popshare.ts';
import { rule, TODAY, useQueue } from './queue.ts';

const { county, night } = useQueue();
const popshare = inCounty(county);
const RULES = [rule('DQ01'), rule('MP07', 'high', 'villages'), rule('FD06', 'high', 'operator')];

const check = (filter: object) => requireKnown(county.warehouse, readFilter(filter), RULES);

describe('a filter', () => {
  test.each([
    ['a rule', { rule: ['DQ01', 'XX99'] }, /no rule XX99; expected DQ01, FD06, MP07/],
    ['a family', { family: ['ZZ'] }, /no family ZZ; expected DQ, MP, FD/],
    ['a department', { department: ['housng'] }, /no department housng; expected .*housing.*operator/],
    ['a desk', { desk: 'housng' }, /no department housng; expected .*housing/],
    ['a feed', { feed: ['houses'] }, /no feed houses; expected .*household_register/],
    ['a village', { division: '620802001099' }, /no division 620802001099; 620802001000 has 620802001001 \S/],
    ['a township', { division: '620802999' }, /no division 620802999; 620802000000 has 620802001000 \S/],
    ['a county', { division: '990102' }, /no division 990102; \d{12} has \d{12} \S/],
    ['a group', { group: 'DQ01' }, /DQ01 is no group; expected <rule>:<feed>:<delivery>/],
    ['a rule of a group', { group: 'XX99:household_register:20261118.1' }, /no rule XX99/],
    ['a feed of a group', { group: 'DQ01:houses:20261118.1' }, /no feed houses/],
  ])('that names %s that there is not is refused, with what there is', async (_what, filter, message) => {
    await expect(check(filter)).rejects.toMatchObject({
      code: 'CASE_INPUT',
      message: expect.stringMatching(message),
    });
  });

  test.each([
    { rule: ['DQ01'], family: ['MP'], department: ['operator', 'villages'], desk: 'housing' },
    { feed: ['household_register'], group: 'DQ01:household_register:20261118.1' },
    { division: '62' },
    { division: '620802000000' },
    { division: '620802001' },
    { division: '620802001001' },
  ])('may name whatever there is: %o', async (filter) => {
    await check(filter);
  });

  test('may name a rule and a division that only cases know any more', async () => {
    await night(TODAY, [{ subject: 'A', division: '620899001001' }], rule('ID99'));
    await check({ rule: ['ID99'] });
    await check({ division: '620899' });
  });

  test.each([
    ['a state', { status: ['lost'] }, 'status: expected new, assigned, returned, resolved, dismissed'],
    ['a severity', { severity: ['info'] }, 'severity: expected high, medium, low'],
    ['a day', { due_before: 'soon' }, 'due_before: expected a date YYYY-MM-DD'],
  ])('with %s that is none is refused on one line', (_what, filter, message) => {
    expect(() => readFilter(filter)).toThrow(message);
  });
});

test('a suppression covers a place that there is', async () => {
  const place = (covers: Parameters<typeof requireKnownPlace>[1]) =>
    requireKnownPlace(county.warehouse, covers, RULES);
  await expect(place({ feed: 'houses' })).rejects.toMatchObject({ code: 'CASE_INPUT' });
  await expect(place({ feed: 'household_register', division: '99' })).rejects.toThrow(/no division 99/);
  await expect(place({ division: '620802999' })).rejects.toThrow(/no division 620802999/);
  await place({ subject: 'whatever a rule calls it' });
  await place({ feed: 'household_register', division: '620802001' });
});

test.each([
  ['list', ['--rule', 'XX99']],
  ['bulk', ['dismiss', '--department', 'housng', '--reason', 'not_a_fault', '--comment', '测试']],
  [
    'suppress',
    ['DQ06', '--feed', 'houses', '--until', '2099-12-31', '--reason', 'known_exception', '--comment', '测试'],
  ],
  ['issue', ['--department', 'housng']],
])('on the command line: %s', async (command, options) => {
  const above = command === 'issue' ? 'corrections' : 'cases';
  expect(await popshare([above, command, ...options])).toMatchObject({
    code: 2,
    stdout: '',
    stderr: expect.stringMatching(/^CASE_INPUT: there is no .*; expected /),
  });
});
