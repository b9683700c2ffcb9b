import { describe, expect, test } from 'vitest';
import { decide } from '../../src/jobs/decision.ts';
import {
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

const county = useCounty('ingest', 'identity');
const H = 'household_register H subject';
const S = 'social_insurance S|110 subject';
const ZHAO = { name: '赵晨曦', birth_date: '19850607', sex: '2', phone: '13912345678' };
const OWN = residentNumber('19850607', '002');

async function night(rows: Readonly<Record<string, Row[]>>, date = TONIGHT): Promise<void> {
  for (const [feed, given] of Object.entries(rows)) await county.deliver(feed, date, given);
  expect(await county.night(date, Object.keys(rows))).toMatchObject({ status: 'done' });
}

async function openConflicts(): Promise<string[]> {
  const rows = await county.query<{ pair: string }>(`
    SELECT concat_ws(' ', left_source_key, right_source_key) AS pair FROM reporting.review
    WHERE kind = 'conflict' AND status = 'open' ORDER BY pair`);
  return rows.map(({ pair }) => pair);
}

/** 王强's number stands on a record of 赵晨曦, who is registered with her own. */
const mixedUp = {
  household_register: [register('W'), register('H', { ...ZHAO, id_number: OWN })],
  social_insurance: [insurance('S', ZHAO)],
};

describe('a record with the number of somebody else', () => {
  test('is a review with the person it speaks of; one person by a human’s word, and only those two', async () => {
    await night(mixedUp);
    const before = await personsOf(county);
    expect(before[S]).not.toBe(before[H]);
    expect(await openConflicts()).toEqual(['H S|110']);
    await decide(county.warehouse, await personsModel(), {
      verdict: 'same',
      mentions: [await mentionOf(county, H), await mentionOf(county, S)],
      reason: '核实',
      decidedBy: 'officer',
    });
    const after = await personsOf(county);
    expect(after[S]).toBe(after[H]);
    expect(after['household_register W subject']).toBe(before['household_register W subject']);
    expect(await openConflicts()).toEqual([]);
  });

  test('is no review any more when the number is mended, nor when a human said that they are two', async () => {
    await night(mixedUp);
    await night({ social_insurance: [insurance('S', { ...ZHAO, id_number: OWN })] }, TOMORROW);
    expect(await openConflicts()).toEqual([]);
    const persons = await personsOf(county);
    expect(persons[S]).toBe(persons[H]);
  });

  test('stays apart for good when a human says so', async () => {
    await night(mixedUp);
    await decide(county.warehouse, await personsModel(), {
      verdict: 'different',
      mentions: [await mentionOf(county, H), await mentionOf(county, S)],
      reason: '核实',
      decidedBy: 'officer',
    });
    await night({ social_insurance: [insurance('S', { ...ZHAO, phone: '13912345679' })] }, TOMORROW);
    expect(await openConflicts()).toEqual([]);
  });

  test('nobody alike: no review', async () => {
    await night({
      ...mixedUp,
      household_register: [register('W'), register('H', { ...ZHAO, id_number: OWN, name: '李娜' })],
    });
    expect(await openConflicts()).toEqual([]);
  });
});

test('a number of an area that never was is a review with the person it speaks of', async () => {
  const never = residentNumber('19850607', '002', '629901');
  await night({
    household_register: [register('H', { ...ZHAO, id_number: OWN })],
    social_insurance: [insurance('S', { ...ZHAO, id_number: never })],
  });
  expect(await openConflicts()).toEqual(['H S|110']);
});

test('two such records that are most alike each other are one review', async () => {
  const [one, other] = ['629901', '629902'].map((area) => residentNumber('19850607', '002', area));
  await night({
    household_register: [register('H', { ...ZHAO, id_number: one ?? '' })],
    social_insurance: [insurance('S', { ...ZHAO, id_number: other ?? '' })],
  });
  expect(await openConflicts()).toEqual(['H S|110']);
});

test('records without numbers that come apart, because two contradict each other, are a review of the most alike', async () => {
  const alike = { ...ZHAO, id_number: '' };
  const tenant = { tenant_id_number: '', tenant_name: ZHAO.name, tenant_phone: ZHAO.phone };
  await night({
    household_register: [register('H', { ...alike, registered_address: '崆峒区东大街1号' })],
    residence_registration: [residence('J', { ...alike, birth_date: '19880908' })],
    housing_lease: [lease('L', { ...tenant, dwelling_code: 'F1' })],
  });
  const persons = await personsOf(county);
  const three = [persons[H], persons['residence_registration J subject'], persons['housing_lease L tenant']];
  expect(new Set(three).size).toBe(3);
  expect(await openConflicts()).toHaveLength(1);
});
