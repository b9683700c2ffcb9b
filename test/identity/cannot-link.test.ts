import { describe, expect, test } from 'vitest';
import { explainPair } from '../../src/identity/explain.ts';
import { birth, LI, pupil } from '../rules/registers.ts';
import { lease, register, residence, residentNumber, TOMORROW, TONIGHT } from '../rules/situation.ts';
import { type Row, useCounty } from '../support/drop.ts';
import { mentionOf, personsModel, personsOf } from './persons.ts';

const county = useCounty();
const H = 'household_register H subject';
const J = 'residence_registration J subject';
const HOME = { phone: '13912904671' };

async function night(rows: Readonly<Record<string, Row[]>>, date = TONIGHT): Promise<void> {
  for (const [feed, given] of Object.entries(rows)) await county.deliver(feed, date, given);
  expect(await county.night(date, Object.keys(rows))).toMatchObject({ status: 'done' });
}

async function areOne(left: string, right: string): Promise<boolean> {
  const persons = await personsOf(county);
  expect(persons).toMatchObject({ [left]: expect.anything(), [right]: expect.anything() });
  return persons[left] === persons[right];
}

async function openReviews(): Promise<string[]> {
  const rows = await county.query<{ review: string }>(`
    SELECT concat_ws(' ', kind, least(left_source_key, right_source_key), greatest(left_source_key, right_source_key)) AS review
    FROM reporting.review WHERE status = 'open' ORDER BY review`);
  return rows.map(({ review }) => review);
}

async function lawBetween(left: string, right: string): Promise<unknown> {
  const [one, other] = [await mentionOf(county, left), await mentionOf(county, right)];
  const { law, forbidden_by } = await explainPair(county.warehouse, await personsModel(), one, other);
  return forbidden_by?.en ?? law;
}

/** 张伟 in the register, and somebody without a number at the same address with the same telephone. */
function atOneAddress(stranger: Row): Record<string, Row[]> {
  return {
    household_register: [
      register('H', {
        ...HOME,
        name: '张伟',
        id_number: residentNumber('20050607', '001'),
        birth_date: '20050607',
        registered_address: '崆峒区东大街1号',
      }),
    ],
    residence_registration: [
      residence('J', { ...HOME, id_number: '', name: '张伟', birth_date: '20050607', ...stranger }),
    ],
  };
}

describe('another sex and another birth date', () => {
  test('are another person, whatever else agrees: a review', async () => {
    await night(atOneAddress({ sex: '2', birth_date: '20070809' }));
    expect(await areOne(H, J)).toBe(false);
    expect(await openReviews()).toEqual(['conflict H J']);
    expect(await lawBetween(H, J)).toBe('other sex and other birth date');
  });

  test('one of them alone may be a slip', async () => {
    await night(atOneAddress({ sex: '2' }));
    expect(await areOne(H, J)).toBe(true);
    await night(
      { residence_registration: atOneAddress({ birth_date: '20070809' })['residence_registration'] ?? [] },
      TOMORROW,
    );
    expect(await areOne(H, J)).toBe(true);
    expect(await openReviews()).toEqual([]);
  });
});

describe('brothers and sisters, parents and children whose names are alike', () => {
  test.for([
    ['a brother', '20070809'],
    ['the father', '19750809'],
  ] as const)(
    '%s at the same address, with the same telephone, is another person',
    async ([, birth_date]) => {
      await night(atOneAddress({ name: '张维', birth_date }));
      expect(await areOne(H, J)).toBe(false);
      expect(await openReviews()).toEqual(['conflict H J']);
      expect(await lawBetween(H, J)).toBe('other birth date and a name that is only alike');
    },
  );

  test('a name that is only alike is a slip when the birth date is right', async () => {
    await night(atOneAddress({ name: '张维' }));
    expect(await areOne(H, J)).toBe(true);
  });

  test('two of them without numbers are two', async () => {
    const alone = atOneAddress({ name: '张维', birth_date: '20070809' });
    await night({
      residence_registration: [
        ...(alone['residence_registration'] ?? []),
        ...(atOneAddress({ registration_number: 'K' })['residence_registration'] ?? []),
      ],
    });
    expect(await areOne(J, 'residence_registration K subject')).toBe(false);
    expect(await openReviews()).toEqual(['conflict J K']);
  });

  test('a guardian is nobody of the household whose name is only alike', async () => {
    const household_number = 'H1';
    const child = register('K', {
      id_number: residentNumber('20150303', '001', '620102'),
      name: '赵晨',
      birth_date: '20150303',
      household_number,
    });
    const aunt = register('H', {
      id_number: residentNumber('19850505', '002'),
      name: '赵民',
      sex: '2',
      birth_date: '19850505',
      household_number,
    });
    await night({
      household_register: [child, aunt],
      school_enrolment: [pupil('G', { guardian_id_number: '', guardian_phone: HOME.phone })],
    });
    expect(await areOne('school_enrolment G guardian', H)).toBe(false);
  });
});

describe('twins', () => {
  const household_number = 'H1';
  const twin = { name: '王佳', sex: '2', birth_date: '20150303', registered_division: '620802001001' };
  const registered = register('H', {
    ...twin,
    id_number: residentNumber('20150303', '002'),
    household_number,
  });
  const mother = register('M', { ...LI, sex: '2', household_number });
  const enrolled = (name: string) =>
    pupil('G', {
      name,
      sex: '2',
      id_number: '',
      guardian_name: LI.name,
      guardian_id_number: LI.id_number,
    });

  test('of one mother, born on one day, under names that are only alike, are two', async () => {
    await night({ household_register: [mother, registered], school_enrolment: [enrolled('王嘉')] });
    expect(await areOne(H, 'school_enrolment G subject')).toBe(false);
    expect(await openReviews()).toEqual(['conflict G H']);
    expect(await lawBetween('school_enrolment G subject', H)).toBe(
      'one family and a name that is only alike',
    );
  });

  test('under the same name it is the same child', async () => {
    await night({ household_register: [mother, registered], school_enrolment: [enrolled('王佳')] });
    expect(await areOne(H, 'school_enrolment G subject')).toBe(true);
  });

  test('one registered, the other without a number in the same household, are two', async () => {
    const other = register('J', { ...twin, name: '王嘉', id_number: '', household_number });
    await night({ household_register: [mother, registered, other] });
    expect(await areOne(H, 'household_register J subject')).toBe(false);
    expect(await lawBetween(H, 'household_register J subject')).toBe('one_household');
    await night({ household_register: [mother, registered, { ...other, household_number: 'H2' }] }, TOMORROW);
    expect(await areOne(H, 'household_register J subject')).toBe(true);
  });

  test('two certificates without a name are two children: neither is the one that is registered', async () => {
    const certificate = (key: string) =>
      birth(key, '20150303', { child_name: '', mother_living_division: '620802001001' });
    await night({ household_register: [mother, registered], birth_certificate: [certificate('C')] });
    expect(await areOne(H, 'birth_certificate C child')).toBe(true);
    await night({ birth_certificate: [certificate('D')] }, TOMORROW);
    expect(await areOne(H, 'birth_certificate D child')).toBe(false);
    expect(await areOne(H, 'birth_certificate C child')).toBe(false);
    // With the name of one of them it is known which is which.
    await night(
      {
        birth_certificate: [
          birth('D', '20150303', { child_name: '王佳', updated_at: '2026-11-20 08:00:00' }),
        ],
      },
      '2026-11-20',
    );
    expect(await areOne(H, 'birth_certificate D child')).toBe(true);
    expect(await areOne(H, 'birth_certificate C child')).toBe(false);
  });
});

describe('children of one day, one name and one sex', () => {
  const C = 'birth_certificate C child';
  const D = 'birth_certificate D child';
  const HERE = { mother_living_division: '620802001001' };
  const otherMother = {
    mother_id_number: residentNumber('19910303', '004'),
    mother_name: '张敏',
    mother_birth_date: '19910303',
    mother_living_division: '620802002001',
  };
  const mother = register('M', { ...LI, sex: '2', household_number: 'H1' });
  const otherHousehold = register('N', {
    id_number: otherMother.mother_id_number,
    name: '张敏',
    sex: '2',
    birth_date: '19910303',
    registered_division: '620802002001',
    household_number: 'H2',
  });
  const child = register('H', {
    id_number: residentNumber('20261024', '002'),
    name: '王小雨',
    sex: '2',
    birth_date: '20261024',
    household_number: 'H1',
  });

  test('two mothers have two children, before one is registered', async () => {
    await night({
      household_register: [mother, otherHousehold],
      birth_certificate: [birth('C', '20261024', HERE), birth('D', '20261024', otherMother)],
    });
    expect(await areOne(C, D)).toBe(false);
    expect(await openReviews()).toEqual([]);
    expect(await lawBetween(C, D)).toBe('two births');
  });

  test('two mothers of whom nobody knows the number have two children', async () => {
    const nobody = { mother_id_number: '', mother_birth_date: '', mother_name: '张敏' };
    await night({
      birth_certificate: [
        birth('C', '20261024', { ...HERE, ...nobody }),
        birth('D', '20261024', { ...HERE, ...nobody, mother_name: '李娜' }),
      ],
    });
    expect(await areOne(C, D)).toBe(false);
    expect(await openReviews()).toEqual(['conflict C D']);
  });

  test('a certificate that was issued again is the same child', async () => {
    await night({
      household_register: [mother],
      birth_certificate: [birth('C', '20261024', HERE), birth('D', '20261024', HERE)],
    });
    expect(await areOne(C, D)).toBe(true);
  });

  test('the one who is registered is the child of the family, whichever certificate comes first', async () => {
    await night({
      household_register: [mother, otherHousehold, child],
      birth_certificate: [birth('D', '20261024', otherMother)],
    });
    expect(await areOne(H, D)).toBe(false);
    expect(await lawBetween(H, D)).toBe('not of the family and elsewhere');
    await night({ birth_certificate: [birth('C', '20261024', HERE)] }, TOMORROW);
    expect(await areOne(H, C)).toBe(true);
    expect(await areOne(H, D)).toBe(false);
  });

  test('when nothing tells the two certificates apart, neither is the one who is registered', async () => {
    const nobody = { ...HERE, mother_id_number: '', mother_birth_date: '' };
    await night({
      household_register: [child],
      birth_certificate: [birth('C', '20261024', { ...nobody, mother_name: '张敏' })],
    });
    expect(await areOne(H, C)).toBe(true);
    await night({ birth_certificate: [birth('D', '20261024', nobody)] }, TOMORROW);
    expect(await areOne(H, C)).toBe(false);
    expect(await areOne(H, D)).toBe(false);
    expect(await areOne(C, D)).toBe(false);
  });
});

describe('two persons of one record', () => {
  test('are two, however alike', async () => {
    const person = { name: '张伟', id_number: residentNumber('20050607', '001'), birth_date: '20050607' };
    await night({
      household_register: [register('H', { ...person, ...HOME })],
      housing_lease: [
        lease('L', {
          landlord_name: '张伟',
          tenant_name: '张伟',
          tenant_id_number: person.id_number,
          tenant_phone: HOME.phone,
        }),
      ],
      housing_ownership: [
        {
          title_number: 'Q',
          dwelling_code: 'FL',
          dwelling_address: '崆峒区东大街1号',
          division: '620802001001',
          owner_id_number: person.id_number,
          owner_name: '张伟',
          registered_on: '20200101',
        },
      ],
    });
    expect(await areOne(H, 'housing_lease L tenant')).toBe(true);
    expect(await areOne(H, 'housing_lease L landlord')).toBe(false);
  });
});
