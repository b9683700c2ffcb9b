import { describe, expect, test } from 'vitest';
import { birth, CHILD, LI, pupil } from '../rules/registers.ts';
import {
  lease,
  marriage,
  register,
  residentNumber,
  TOMORROW,
  TONIGHT,
  title,
  WANG,
} from '../rules/situation.ts';
import { type Row, useCounty } from '../support/drop.ts';
import { personsOf } from './persons.ts';

const county = useCounty('ingest', 'identity');
const H = 'household_register H subject';
const GUARDIAN = 'school_enrolment G guardian';
const FATHER = 'birth_certificate C father';
const NEWBORN = 'birth_certificate C child';
const LANDLORD = 'housing_lease L landlord';

async function night(rows: Readonly<Record<string, Row[]>>, date = TONIGHT): Promise<void> {
  for (const [feed, given] of Object.entries(rows)) await county.deliver(feed, date, given);
  expect(await county.night(date, Object.keys(rows))).toMatchObject({ status: 'done' });
}

/** Whether two records are one person. */
async function areOne(left: string, right: string): Promise<boolean> {
  const persons = await personsOf(county);
  expect(persons).toMatchObject({ [left]: expect.anything(), [right]: expect.anything() });
  return persons[left] === persons[right];
}

async function openReviews(): Promise<string[]> {
  const rows = await county.query<{ review: string }>(`
    SELECT concat_ws(' ', kind, left_source_key, left_role, right_source_key, right_role) AS review
    FROM reporting.review WHERE status = 'open' ORDER BY review`);
  return rows.map(({ review }) => review);
}

/** 赵晨 and 赵敏, of whom the school knows the name alone, in the household of 王强. */
const unknown = [pupil('G', { guardian_id_number: '' })];
const child = register('K', { ...CHILD, household_number: 'H1' });
const mother = register('H', {
  id_number: residentNumber('19850505', '002'),
  name: '赵敏',
  sex: '2',
  birth_date: '19850505',
  household_number: 'H1',
});

describe('a guardian of whom the school tells the name alone', () => {
  test('is the one of the pupil’s household with that name', async () => {
    await night({ household_register: [child, mother], school_enrolment: unknown });
    expect(await areOne(GUARDIAN, H)).toBe(true);
  });

  test('is nobody of another household, and nobody with another name', async () => {
    await night({
      household_register: [
        child,
        { ...mother, household_number: 'H2' },
        register('W', { household_number: 'H1' }),
      ],
      school_enrolment: unknown,
    });
    expect(await areOne(GUARDIAN, H)).toBe(false);
    expect(await areOne(GUARDIAN, 'household_register W subject')).toBe(false);
  });

  test('is found, and lost, when somebody moves into the household, or out of it', async () => {
    await night({
      household_register: [child, { ...mother, household_number: 'H2' }],
      school_enrolment: unknown,
    });
    await night({ household_register: [child, mother] }, TOMORROW);
    expect(await areOne(GUARDIAN, H)).toBe(true);
    await night({ household_register: [{ ...child, household_number: 'H3' }, mother] }, '2026-11-20');
    expect(await areOne(GUARDIAN, H)).toBe(false);
    await night(
      {
        household_register: [
          { ...child, household_number: 'H3' },
          { ...mother, household_number: 'H3' },
        ],
      },
      '2026-11-21',
    );
    expect(await areOne(GUARDIAN, H)).toBe(true);
  });

  test('is found when the pupil’s number comes in', async () => {
    await night({
      household_register: [child, mother],
      school_enrolment: [pupil('G', { guardian_id_number: '', id_number: '', birth_date: '20160303' })],
    });
    expect(await areOne(GUARDIAN, H)).toBe(false);
    await night({ school_enrolment: unknown }, TOMORROW);
    expect(await areOne(GUARDIAN, H)).toBe(true);
  });

  test('is nobody of a dormitory', async () => {
    const others = Array.from({ length: 29 }, (_, at) =>
      register(`D${at}`, {
        id_number: residentNumber('19700101', String(2 * at + 101)),
        name: '李强',
        birth_date: '19700101',
        household_number: 'H1',
      }),
    );
    await night({ household_register: [child, mother, ...others], school_enrolment: unknown });
    expect(await areOne(GUARDIAN, H)).toBe(false);
  });
});

describe('a father of whom the certificate tells the name alone', () => {
  const certificate = [birth('C', '20260301', { father_name: WANG.name })];
  const wedding = [marriage('M', '20200101', { name: LI.name, id: LI.id_number })];

  test('is the husband of the mother, wherever he is registered', async () => {
    await night({
      household_register: [register('H')],
      marriage_registration: wedding,
      birth_certificate: certificate,
    });
    expect(await areOne(FATHER, H)).toBe(true);
  });

  test('is not the husband of somebody else', async () => {
    await night({
      household_register: [register('H')],
      marriage_registration: [
        marriage('M', '20200101', { name: '李娜', id: residentNumber('19900202', '004') }),
      ],
      birth_certificate: certificate,
    });
    expect(await areOne(FATHER, H)).toBe(false);
  });

  test('is found whichever record comes last', async () => {
    await night({ household_register: [register('H')], birth_certificate: certificate });
    expect(await areOne(FATHER, H)).toBe(false);
    await night({ marriage_registration: wedding }, TOMORROW);
    expect(await areOne(FATHER, H)).toBe(true);
  });
});

describe('a newborn without a name', () => {
  const certificate = (key: string, more: Row = {}) => birth(key, '20260301', { child_name: '', ...more });
  const household = register('M', { ...LI, sex: '2', household_number: 'H1' });
  const registered = register('H', {
    id_number: residentNumber('20260301', '002'),
    name: '王小雨',
    sex: '2',
    birth_date: '20260301',
    household_number: 'H1',
  });

  test('is the child of the mother’s household with the same sex and birth date', async () => {
    await night({ household_register: [household, registered], birth_certificate: [certificate('C')] });
    expect(await areOne(NEWBORN, H)).toBe(true);
  });

  test.for([
    ['of another day', { birth_date: '20260302' }],
    ['of the other sex', { sex: '1' }],
    ['of another household', { household_number: 'H2' }],
  ] as const)('is no child %s', async ([, more]) => {
    await night({
      household_register: [household, { ...registered, ...more }],
      birth_certificate: [certificate('C')],
    });
    expect(await areOne(NEWBORN, H)).toBe(false);
  });

  test('is a review when there are twins', async () => {
    const twin = {
      ...registered,
      person_number: 'T',
      id_number: residentNumber('20260301', '004'),
      name: '王小雪',
    };
    await night({ household_register: [household, registered, twin], birth_certificate: [certificate('C')] });
    expect(await areOne(NEWBORN, H)).toBe(false);
    expect(await areOne(NEWBORN, 'household_register T subject')).toBe(false);
    expect(await openReviews()).toEqual([expect.stringMatching(/^ambiguous .*C child/)]);
  });
});

describe('a landlord of whom the lease tells the name alone', () => {
  const owned = (dwelling_code: string) =>
    title('Q', { dwelling_code, owner_id_number: residentNumber('19850505', '002') });

  test('is the owner of the dwelling with that name', async () => {
    await night({ housing_lease: [lease('L')], housing_ownership: [owned('FL')] });
    expect(await areOne(LANDLORD, 'housing_ownership Q owner')).toBe(true);
  });

  test('is not the owner of another dwelling, nor one with another name', async () => {
    await night({ housing_lease: [lease('L')], housing_ownership: [owned('F2')] });
    expect(await areOne(LANDLORD, 'housing_ownership Q owner')).toBe(false);
    await night({ housing_ownership: [{ ...owned('FL'), owner_name: '李静' }] }, TOMORROW);
    expect(await areOne(LANDLORD, 'housing_ownership Q owner')).toBe(false);
  });
});
