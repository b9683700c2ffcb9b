import { beforeEach, describe, expect, test } from 'vitest';
import { insurance, register, residentNumber, TONIGHT, WANG } from '../rules/situation.ts';
import { useCounty } from '../support/drop.ts';
import { inCounty } from './popshare.ts';

const county = useCounty();
const popshare = inCounty(county);

describe('an officer who clears doubts at the command line', () => {
  let review: string;
  beforeEach(async () => {
    const other = residentNumber('19800101', '003');
    const rows = { household_register: [register('H'), register('I', { id_number: other })] };
    await county.deliver('household_register', TONIGHT, rows.household_register);
    await county.deliver('social_insurance', TONIGHT, [insurance('S', { id_number: '' })]);
    await county.night(TONIGHT, ['household_register', 'social_insurance']);
    const list = await popshare(['reviews', 'list', '--json']);
    expect(list.code).toBe(0);
    const { reviews } = JSON.parse(list.stdout);
    expect(reviews).toMatchObject([{ kind: 'ambiguous', status: 'open' }]);
    review = String(reviews[0].review_id);
  });

  test('decides, sees why, and lifts it again', async () => {
    const decided = await popshare([
      ...['reviews', 'decide', review, '--verdict', 'same', '--reason', '电话核实', '--json'],
    ]);
    expect(decided).toMatchObject({ code: 0 });
    const decision = String(JSON.parse(decided.stdout).decision_id);
    const show = await popshare(['reviews', 'show', review, '--json']);
    expect(JSON.parse(show.stdout)).toMatchObject({
      review: { status: 'linked' },
      decisions: [{ verdict: 'same', reason: '电话核实' }],
    });
    const explain = await popshare([
      ...['explain', '--feed', 'social_insurance', '--key', 'S|110', '--json'],
    ]);
    expect(JSON.parse(explain.stdout)).toMatchObject({
      method: 'decision',
      decisions: [{ verdict: 'same' }],
    });
    expect((await popshare(['explain', '--feed', 'social_insurance', '--key', 'S|110'])).stdout).toMatch(
      /by decision/,
    );
    expect(await popshare(['reviews', 'lift', decision, '--reason', '误判'])).toMatchObject({ code: 0 });
    expect(await popshare(['reviews', 'list'])).toMatchObject({ stdout: expect.stringMatching(/ambiguous/) });
  });

  test('finds a person', async () => {
    const found = await popshare(['match', '--name', '王强', '--id-number', WANG.id_number, '--json']);
    expect(JSON.parse(found.stdout)).toMatchObject({ outcome: 'found', best: { method: 'number' } });
    const doubtful = await popshare(['match', '--name', '王强', '--birth-date', '1980-01-01']);
    expect(doubtful.stdout).toMatch(/^doubtful\nbest: person \d+, by model/);
    expect(doubtful.stdout).toMatch(/second best: person \d+/);
  });

  test.each([
    ['USAGE', ['match', '--birth-date', '30 February']],
    ['USAGE', ['match']],
    ['USAGE', ['reviews', 'decide', '1', '--verdict', 'perhaps', '--reason', '测试']],
    ['REVIEW_UNKNOWN', ['reviews', 'show', '4711']],
    ['DECISION_UNKNOWN', ['reviews', 'lift', '4711', '--reason', '测试']],
    ['MENTION_UNKNOWN', ['explain', '--feed', 'social_insurance', '--key', 'none']],
  ])('%s: %s', async (code, args) => {
    const ended = await popshare(args);
    expect(ended).toMatchObject({
      code: 2,
      stdout: '',
      stderr: expect.stringMatching(`^${code}: |\n${code}: `),
    });
  });
});
