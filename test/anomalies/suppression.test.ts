import { describe, expect, test } from 'vitest';
import {
  liftSuppression,
  listSuppressions,
  type NewSuppression,
  suppress,
} from '../../src/anomalies/queue/suppression.ts';
import { CHEN, LI, useQueue } from './queue.ts';

const queue = useQueue();
const { county, night, act, one, idOf, story, page } = queue;
const [FIRST, SECOND, THIRD, FOURTH] = ['2026-11-18', '2026-11-19', '2026-11-20', '2026-11-21'];
const A = { subject: 'A', feed: 'household_register', division: '620802001001', person_id: 7 };
const B = { subject: 'B', feed: 'social_insurance', division: '620802002001', person_id: 8 };

function suppressing(covers: NewSuppression['covers'], more: Partial<NewSuppression> = {}) {
  const base = {
    rule: 'DQ01',
    until: THIRD,
    reason: 'known_exception',
    comment: '测试',
    actor: CHEN,
    today: FIRST,
  };
  return suppress(county.warehouse, { ...base, covers, ...more });
}

const open = async (): Promise<number> => (await page()).counts.total;

describe('a suppression', () => {
  test.each([
    ['a subject', { subject: 'A' }],
    ['a person', { person: 7 }],
    ['a feed', { feed: 'household_register' }],
    ['a division', { division: '620802001000' }],
    ['a feed in a division', { feed: 'household_register', division: '620802001001' }],
  ])('of %s closes what is open, and nothing else', async (_what, covers) => {
    await night(FIRST, [A, B]);
    expect(await suppressing(covers)).toMatchObject({ cases: 1 });
    expect(await one(await idOf('A'))).toMatchObject({
      status: 'dismissed',
      suppressed_by: expect.any(Number),
    });
    expect(await one(await idOf('B'))).toMatchObject({ status: 'new' });
    expect(await open()).toBe(1);
  });

  test('keeps closed what is found meanwhile, counts it, and gives it back after its last day', async () => {
    await suppressing({ subject: 'A' });
    expect(await night(SECOND, [A, B])).toMatchObject({ opened: 1, open: 1 });
    expect(await night(THIRD, [{ ...A, evidence: { newer: true } }, B])).toMatchObject({
      reopened: 0,
      open: 1,
    });
    expect(await listSuppressions(county.warehouse, { after: null, limit: 10 })).toMatchObject([
      { rule: 'DQ01', until: THIRD, cases: 1 },
    ]);
    const id = await idOf('A');
    await expect(act(id, 'reopen')).rejects.toMatchObject({ code: 'CASE_STATE' });
    expect(await night(FOURTH, [{ ...A, evidence: { newer: true } }, B])).toMatchObject({
      reopened: 1,
      open: 2,
    });
    expect(await one(id)).toMatchObject({
      status: 'new',
      suppressed_by: null,
      due_on: '2026-11-27',
      opened_on: FOURTH,
    });
    expect(await story(id)).toEqual(['suppressed', 'evidence', 'reopened']);
    expect(await open()).toBe(2);
  });

  test('does not bring back what has healed meanwhile', async () => {
    await night(FIRST, [A]);
    await suppressing({ subject: 'A' });
    await night(SECOND, []);
    expect(await night(FOURTH, [])).toMatchObject({ reopened: 0, open: 0 });
    expect(await one(await idOf('A'))).toMatchObject({ status: 'resolved', healed: true });
  });

  test('hands over to another one that covers the case', async () => {
    await night(FIRST, [A]);
    await suppressing({ subject: 'A' });
    const { suppression_id } = await suppressing({ person: 7 }, { until: '2026-12-31' });
    expect(await night(FOURTH, [A])).toMatchObject({ reopened: 0, open: 0 });
    expect(await one(await idOf('A'))).toMatchObject({ suppressed_by: suppression_id });
  });

  test('does not bring back what a human had closed on the same evidence', async () => {
    await night(FIRST, [A]);
    await act(await idOf('A'), 'dismiss');
    await suppressing({ subject: 'A' });
    await night(SECOND, [A]);
    expect(await night(FOURTH, [A])).toMatchObject({ reopened: 0, open: 0 });
  });

  test('can be lifted: the next night brings its cases back', async () => {
    await night(FIRST, [A]);
    const { suppression_id } = await suppressing({ subject: 'A' });
    await liftSuppression(county.warehouse, suppression_id, CHEN);
    expect(await night(SECOND, [A])).toMatchObject({ reopened: 1, open: 1 });
    await expect(liftSuppression(county.warehouse, suppression_id, CHEN)).rejects.toMatchObject({
      code: 'SUPPRESSION_UNKNOWN',
    });
    expect(await queue.audited(`suppression ${suppression_id}`)).toEqual([
      {
        ...{ actor: 'chen', action: 'case', purpose: 'known_exception' },
        detail: {
          ...{ rule: 'DQ01', until: THIRD, cases: 1 },
          ...{ before: ['new', 'assigned', 'returned'], after: 'dismissed' },
        },
      },
      { actor: 'chen', action: 'case', purpose: 'lift', detail: {} },
    ]);
  });

  test.each<[string, Partial<NewSuppression>]>([
    ['ended before it began', { until: '2026-11-17' }],
    ['without a reason of the list', { reason: 'because' }],
    ['without a comment', { comment: '' }],
    ['with a book as its comment', { comment: '话'.repeat(2001) }],
    ['of an officer', { actor: LI }],
  ])('%s is refused', async (_what, more) => {
    await expect(suppressing({ subject: 'A' }, more)).rejects.toMatchObject({ code: 'CASE_INPUT' });
  });
});
