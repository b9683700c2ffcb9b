import { beforeEach, describe, expect, test } from 'vitest';
import type { Verdict } from '../../src/identity/decisions.ts';
import type { TrainedModel } from '../../src/identity/model/weights.ts';
import { listReviews, openPair, showReview } from '../../src/identity/review-queue.ts';
import { decide, lift } from '../../src/jobs/decision.ts';
import {
  allowance,
  insurance,
  lease,
  register,
  residence,
  residentNumber,
  TOMORROW,
  TONIGHT,
} from '../rules/situation.ts';
import { type Row, useCounty } from '../support/drop.ts';
import { mentionOf, personsModel, personsOf } from './persons.ts';

const county = useCounty('ingest', 'identity', 'corrections');
let model: TrainedModel;
beforeEach(async () => {
  model = await personsModel();
});

const OTHER = residentNumber('19800101', '003');
const H = 'household_register H subject';
const S = 'social_insurance S|110 subject';
const J = 'residence_registration J subject';
const LATER = '2026-11-20';

async function night(rows: Readonly<Record<string, Row[]>>, date = TONIGHT): Promise<void> {
  for (const [feed, given] of Object.entries(rows)) await county.deliver(feed, date, given);
  expect(await county.night(date, Object.keys(rows))).toMatchObject({ status: 'done' });
}

async function decideOn(verdict: Verdict, left: string, right: string): Promise<number> {
  const mentions = [await mentionOf(county, left), await mentionOf(county, right)] as const;
  return decide(county.warehouse, model, { verdict, mentions, reason: '核实', decidedBy: 'officer' });
}

async function liftOne(decisionId: number): Promise<void> {
  await lift(county.warehouse, model, { decisionId, reason: '误判', liftedBy: 'officer' });
}

async function methodOf(record: string): Promise<string | undefined> {
  const [row] = await county.query<{ method: string }>(
    `SELECT method FROM reporting.link WHERE concat_ws(' ', feed, source_key, role) = $1`,
    [record],
  );
  return row?.method;
}

describe('two numbers that a human says are one person', () => {
  const rows = {
    household_register: [register('H')],
    social_insurance: [insurance('S', { id_number: OTHER })],
    residence_registration: [residence('J', { id_number: OTHER })],
  };

  test('become one person with all their records; lifted, the old ids come back', async () => {
    await night(rows);
    const before = await personsOf(county);
    expect(before[H]).not.toBe(before[S]);
    expect(before[S]).toBe(before[J]);

    const decision = await decideOn('same', H, S);
    const joined = await personsOf(county);
    expect(new Set(Object.values(joined)).size).toBe(1);
    expect(joined[H]).toBe(Math.min(before[H] ?? 0, before[S] ?? 0));
    expect([await methodOf(H), await methodOf(S)]).toContain('decision');

    await liftOne(decision);
    expect(await personsOf(county)).toEqual(before);
    expect(await county.query('SELECT person_id FROM identity.person WHERE merged_into IS NOT NULL')).toEqual(
      [],
    );
    const events = await county.query<{ kind: string }>(
      `SELECT kind FROM identity.person_event WHERE kind <> 'created' ORDER BY event_id`,
    );
    expect(events.map(({ kind }) => kind)).toEqual(['merged', 'split']);
  });

  test('stay one person through the next nights, whichever record changes', async () => {
    await night(rows);
    await decideOn('same', H, S);
    const joined = await personsOf(county);
    await night({ social_insurance: [insurance('S', { id_number: OTHER, phone: '13912345678' })] }, TOMORROW);
    expect(await personsOf(county)).toEqual(joined);
    await night({ household_register: [register('H', { phone: '13912345679' })] }, LATER);
    expect(await personsOf(county)).toEqual(joined);
  });

  test('come apart with the record that tied them, and the old id is back', async () => {
    await night(rows);
    const before = await personsOf(county);
    await decideOn('same', H, J);
    await night({ household_register: [register('K', { name: '李娜', id_number: '' })] }, TOMORROW);
    const after = await personsOf(county);
    expect([after[S], after[J]]).toEqual([before[S], before[J]]);
  });

  test('a third number joins and leaves without disturbing the other two', async () => {
    const third = residentNumber('19800101', '005');
    const L = 'housing_lease L tenant';
    await night({ ...rows, housing_lease: [lease('L', { tenant_id_number: third })] });
    const before = await personsOf(county);
    const first = await decideOn('same', S, L);
    const second = await decideOn('same', H, L);
    const joined = await personsOf(county);
    expect(new Set([joined[H], joined[S], joined[J], joined[L]]).size).toBe(1);
    await liftOne(second);
    const two = await personsOf(county);
    expect(two[S]).toBe(two[L]);
    expect(two[H]).toBe(before[H]);
    await liftOne(first);
    expect(await personsOf(county)).toEqual(before);
  });
});

describe('records under one number that a human sets apart', () => {
  const rows = { household_register: [register('H')], social_insurance: [insurance('S')] };

  test('the later one becomes a person of its own, until the decision is lifted', async () => {
    await night(rows);
    const before = await personsOf(county);
    expect(before[H]).toBe(before[S]);
    const decision = await decideOn('different', H, S);
    const apart = await personsOf(county);
    expect(apart[H]).toBe(before[H]);
    expect(apart[S]).not.toBe(before[H]);
    expect(await methodOf(S)).toBe('decision');
    await night({ social_insurance: [insurance('S', { phone: '13912345678' })] }, TOMORROW);
    expect(await personsOf(county)).toEqual(apart);
    await liftOne(decision);
    expect(await personsOf(county)).toEqual(before);
    await decideOn('different', H, S);
    expect(await personsOf(county)).toEqual(apart);
  });

  test('whoever is the same as the later one goes with it', async () => {
    await night({ ...rows, residence_registration: [residence('J')] });
    await decideOn('same', S, J);
    await decideOn('different', H, J);
    const persons = await personsOf(county);
    expect(persons[S]).toBe(persons[J]);
    expect(persons[S]).not.toBe(persons[H]);
  });
});

describe('a record without a number', () => {
  const nobody = { id_number: '', name: '赵敏', sex: '2', birth_date: '19910203' };

  test('goes where a human says, whatever its keys and its name, and comes back', async () => {
    await night({ household_register: [register('H')], social_insurance: [insurance('S', nobody)] });
    const before = await personsOf(county);
    const decision = await decideOn('same', H, S);
    const joined = await personsOf(county);
    expect(joined[S]).toBe(joined[H]);
    expect(await methodOf(S)).toBe('decision');
    await night({ household_register: [register('H', { phone: '13912345679' })] }, TOMORROW);
    await night({ social_insurance: [insurance('S', { ...nobody, phone: '13912345678' })] }, LATER);
    expect(await personsOf(county)).toEqual(joined);
    await liftOne(decision);
    expect(await personsOf(county)).toEqual(before);
  });

  test('is kept from the person that the model finds, whichever record of that person was named', async () => {
    const same = { id_number: '', phone: '13912345678' };
    await night({
      household_register: [register('H', { phone: '13912345678' })],
      residence_registration: [residence('J', { phone: '13912345678' })],
      social_insurance: [insurance('S', same)],
    });
    const before = await personsOf(county);
    expect(before[S]).toBe(before[H]);
    const decision = await decideOn('different', J, S);
    const apart = await personsOf(county);
    expect(apart[S]).not.toBe(apart[H]);
    expect(apart[J]).toBe(apart[H]);
    await liftOne(decision);
    expect((await personsOf(county))[S]).toBe(before[H]);
  });

  test('ties two numbers when a human says it is both', async () => {
    await night({
      household_register: [register('H')],
      residence_registration: [residence('J', { id_number: OTHER })],
      social_insurance: [insurance('S', nobody)],
    });
    const before = await personsOf(county);
    await decideOn('same', H, S);
    const second = await decideOn('same', J, S);
    expect(new Set(Object.values(await personsOf(county))).size).toBe(1);
    await liftOne(second);
    const after = await personsOf(county);
    expect(after[S]).toBe(after[H]);
    expect(after[J]).toBe(before[J]);
  });

  test('is set apart from a number, although a record that the model puts with it is tied to that number', async () => {
    const unnumbered = { id_number: '', name: '赵晨曦', phone: '13912345678' };
    await night({
      household_register: [register('H', unnumbered)],
      residence_registration: [residence('J', unnumbered)],
      social_insurance: [insurance('S', { birth_date: '19550505', name: '赵晨曦' })],
    });
    const before = await personsOf(county);
    expect(before[H]).toBe(before[J]);
    await decideOn('same', J, S);
    await decideOn('different', H, S);
    const after = await personsOf(county);
    expect(after[J]).toBe(after[S]);
    expect(after[H]).not.toBe(after[S]);
  });
});

describe('decisions', () => {
  const rows = {
    household_register: [register('H')],
    social_insurance: [insurance('S', { id_number: OTHER })],
    residence_registration: [residence('J', { id_number: residentNumber('19800101', '005') })],
  };

  test('that contradict one in force are refused, also through others', async () => {
    await night(rows);
    await decideOn('same', H, S);
    await decideOn('same', S, J);
    await expect(decideOn('different', H, J)).rejects.toMatchObject({ code: 'DECISION_CONFLICT' });
    await expect(decideOn('different', H, S)).rejects.toMatchObject({ code: 'DECISION_CONFLICT' });
  });

  test('may be said twice, and are kept with who, when and why', async () => {
    await night(rows);
    const first = await decideOn('different', H, S);
    expect(await decideOn('different', S, H)).toBe(first);
    await liftOne(first);
    await expect(liftOne(first)).rejects.toMatchObject({ code: 'DECISION_UNKNOWN' });
    expect(await county.query('SELECT * FROM identity.decision')).toMatchObject([
      {
        verdict: 'different',
        reason: '核实',
        decided_by: 'officer',
        lifted_by: 'officer',
        lifted_reason: '误判',
        lifted_at: expect.any(Date),
      },
    ]);
    const runs = await county.query<{ purpose: string; status: string }>(
      `SELECT DISTINCT purpose, status FROM ops.run WHERE purpose = 'decision' ORDER BY status`,
    );
    expect(runs).toEqual([
      { purpose: 'decision', status: 'done' },
      { purpose: 'decision', status: 'failed' },
    ]);
  });
});

describe('the queue of reviews', () => {
  const firstReviews = async () => (await listReviews(county.warehouse, { after: null, limit: 50 })).reviews;

  /** Two persons of one name and birth, and a record without a number that may be either. */
  const rows = (more: Row = {}): Record<string, Row[]> => ({
    household_register: [register('H'), register('I', { id_number: OTHER })],
    social_insurance: [insurance('S', { id_number: '', ...more })],
  });

  test('counts what hangs on a review, and a decision closes it', async () => {
    await night({ ...rows({ benefit_status: '1' }), subsistence_allowance: [allowance('A')] });
    const [review] = await firstReviews();
    if (review === undefined) throw new Error('there is no review');
    expect(review).toMatchObject({ kind: 'ambiguous', status: 'open', anomalies: 0 });
    expect(review.benefits).toBeGreaterThan(0);
    expect(review.priority).toBe(review.benefits + review.anomalies);

    const mentions = await openPair(county.warehouse, review.review_id);
    const decision = { mentions, reason: '核实', decidedBy: 'officer' };
    const decisionId = await decide(county.warehouse, model, { ...decision, verdict: 'same' });
    const shown = await showReview(county.warehouse, review.review_id);
    expect(shown).toMatchObject({ review: { status: 'linked' }, decisions: [{ decision_id: decisionId }] });
    expect(shown.review.left.person_id).toBe(shown.review.right.person_id);
    await expect(openPair(county.warehouse, review.review_id)).rejects.toMatchObject({
      code: 'REVIEW_STATE',
    });
    expect(await firstReviews()).toEqual([]);

    await liftOne(decisionId);
    expect(await firstReviews()).toMatchObject([{ review_id: review.review_id }]);
  });

  test('what matters more comes first', async () => {
    const lesser = { name: '李娜', sex: '2', birth_date: '19900505' };
    const numbers = ['002', '004'].map((sequence) => residentNumber('19900505', sequence));
    await night({
      household_register: [
        register('H'),
        register('I', { id_number: OTHER }),
        ...numbers.map((id_number, at) => register(`L${at}`, { ...lesser, id_number })),
      ],
      social_insurance: [
        insurance('S', { id_number: '' }),
        insurance('T', { ...lesser, id_number: '', benefit_status: '1' }),
      ],
    });
    const reviews = await firstReviews();
    expect(reviews.map(({ priority }) => priority)).toEqual([1, 0]);
    const page = await listReviews(county.warehouse, { after: null, limit: 1 });
    expect(page.reviews).toEqual(reviews.slice(0, 1));
    const rest = await listReviews(county.warehouse, { after: page.next, limit: 1 });
    expect(rest).toEqual({ reviews: reviews.slice(1), next: null });
  });

  test('an unknown review', async () => {
    await expect(showReview(county.warehouse, 4711)).rejects.toMatchObject({ code: 'REVIEW_UNKNOWN' });
  });
});
