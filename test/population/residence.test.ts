import { describe, expect, test } from 'vitest';
import { birth, CHILD, died, pupil, report, trader } from '../rules/registers.ts';
import { insurance, lease, register, residence, TOMORROW, TONIGHT } from '../rules/situation.ts';
import type { Row } from '../support/drop.ts';
import { usePictures } from './pictures.ts';

const { county, night, personOf, residenceOf } = usePictures();
const HOME = '620802001001';
const ELSEWHERE = '620802001002';
const living = residence('J', { living_division: ELSEWHERE });

/** The open interval of the person behind the first record: category, place of living, evidence. */
async function picture(rows: Record<string, Row[]>, record: [string, string, string?]): Promise<string> {
  await night(TONIGHT, rows);
  const intervals = await residenceOf(await personOf(...record));
  const { category, living: place, kind } = intervals.find(({ until }) => until === null) ?? {};
  return category === undefined ? 'none' : [category, place ?? '-', kind].join(' ');
}

describe('registered here', () => {
  const picturesOf = (rows: Record<string, Row[]>) =>
    picture({ household_register: [register('H')], ...rows }, ['household_register', 'H']);

  test('with signs of life: local', async () => {
    expect(await picturesOf({ social_insurance: [insurance('S')] })).toBe(`local ${HOME} residency_index`);
  });

  test('without any: out-migrant', async () => {
    expect(await picturesOf({})).toBe('out_migrant - residency_index');
  });

  test('a valid residence registration in another village: separated', async () => {
    expect(await picturesOf({ residence_registration: [living] })).toBe(
      `separated ${ELSEWHERE} residence_registered`,
    );
  });

  test.each([
    ['expired yesterday', { registered_on: '20250101', valid_until: '20261117' }],
    ['for five months', { registered_on: '20260801', valid_until: '20261231' }],
  ])('a registration elsewhere that %s does not count', async (_, more) => {
    const residence_registration = [{ ...living, ...more }];
    const picture = await picturesOf({ residence_registration, social_insurance: [insurance('S')] });
    expect(picture).toBe(`local ${HOME} residency_index`);
  });

  test('the residence registration counts before the lease, the lease before the business', async () => {
    const housing_lease = [lease('L', { division: '620802001003' })];
    const sole_trader = [trader('T', { division: '620802001004' })];
    expect(await picturesOf({ housing_lease, sole_trader })).toBe('separated 620802001003 tenant');
    await night(TOMORROW, { residence_registration: [living] });
    const [, second] = await residenceOf(await personOf('household_register', 'H'));
    expect(second).toMatchObject({ living: ELSEWHERE, kind: 'residence_registered', since: TOMORROW });
  });

  test('reported to have left: out-migrant since that day', async () => {
    const left = report('1', '外出', '20260510', { destination: '140107' });
    expect(await picturesOf({ social_insurance: [insurance('S')], village_report: [left] })).toBe(
      'out_migrant - left',
    );
    const [interval] = await residenceOf(await personOf('household_register', 'H'));
    expect(interval?.since).toBe('2026-05-10');
  });

  test('dead: no picture', async () => {
    expect(
      await picturesOf({ social_insurance: [insurance('S')], death_registration: died('20261101') }),
    ).toBe('none');
  });
});

describe('not registered here', () => {
  test('a valid residence registration: in-migrant, in that village', async () => {
    expect(await picture({ residence_registration: [living] }, ['residence_registration', 'J'])).toBe(
      `in_migrant ${ELSEWHERE} residence_registered`,
    );
  });

  test('moved out of the register, and insured here: in-migrant, the village unknown', async () => {
    const rows = { household_register: [register('H', { status: '2' })], social_insurance: [insurance('S')] };
    expect(await picture(rows, ['household_register', 'H'])).toBe('in_migrant 620802000000 pension_paid');
  });

  test.each([
    ['insured for half a year', '20260518', 'in_migrant 620802000000 pension_paid'],
    ['insured for less', '20260618', 'none'],
  ])('%s', async (_, insured_since, expected) => {
    const social_insurance = [insurance('S', { insured_since })];
    expect(await picture({ social_insurance }, ['social_insurance', 'S|110'])).toBe(expected);
  });

  test.each([
    ['last paid in May: still speaks', '202605', 'in_migrant 620802000000 pension_paid'],
    ['last paid in April: no more', '202604', 'none'],
  ])('%s', async (_, last_paid_month, expected) => {
    const social_insurance = [insurance('S', { last_paid_month })];
    expect(await picture({ social_insurance }, ['social_insurance', 'S|110'])).toBe(expected);
  });

  test('a lease of half a year that has begun; a shorter one', async () => {
    const half = lease('L', { starts_on: '20261101', ends_on: '20270430' });
    expect(await picture({ housing_lease: [half] }, ['housing_lease', 'L', 'tenant'])).toBe(
      `in_migrant ${HOME} tenant`,
    );
    const short = { ...half, ends_on: '20270429', updated_at: '2026-11-18 08:00:00' };
    await night(TOMORROW, { housing_lease: [short] });
    expect(await residenceOf(await personOf('housing_lease', 'L', 'tenant'))).toMatchObject([
      { until: TOMORROW },
    ]);
  });

  test('a pupil lives where the school says, its guardian is not known to live here', async () => {
    expect(await picture({ school_enrolment: [pupil('P')] }, ['school_enrolment', 'P'])).toBe(
      `in_migrant ${HOME} enrolled`,
    );
    expect(await residenceOf(await personOf('school_enrolment', 'P', 'guardian'))).toEqual([]);
  });

  test('a pupil who lives outside the county is nobody here', async () => {
    const rows = { school_enrolment: [pupil('P', { ...CHILD, living_division: '620102001001' })] };
    expect(await picture(rows, ['school_enrolment', 'P'])).toBe('none');
  });

  test('an infant lives with its mother', async () => {
    const rows = { birth_certificate: [birth('B', '20260901', { mother_living_division: ELSEWHERE })] };
    expect(await picture(rows, ['birth_certificate', 'B', 'child'])).toBe(
      `in_migrant ${ELSEWHERE} own_birth`,
    );
  });
});

test('the counts: county, township and village, by category, sex and age', async () => {
  await night(TONIGHT, { residence_registration: [living], social_insurance: [insurance('S')] });
  const counts = await county.query('SELECT * FROM reporting.residence ORDER BY division');
  const row = { category: 'in_migrant', sex: '1', age_group: '45-49', persons: 1 };
  expect(counts).toEqual(
    ['620802000000', '620802001000', ELSEWHERE].map((division) => ({ division, ...row })),
  );
});

test('who gives no birth date is of unknown age', async () => {
  await night(TONIGHT, { housing_lease: [lease('L', { tenant_id_number: '', tenant_name: '陌生人' })] });
  expect(
    await county.query(
      `SELECT sex, age_group, persons FROM reporting.residence WHERE division = '620802000000'`,
    ),
  ).toEqual([{ sex: '9', age_group: 'unknown', persons: 1 }]);
});
