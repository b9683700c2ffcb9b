import { describe, expect, test } from 'vitest';
import { death } from '../support/drop.ts';
import {
  insurance,
  lease,
  register,
  residence,
  residentNumber,
  TOMORROW,
  useRules,
  WANG,
} from './situation.ts';

const { night, openCases } = useRules();
const unnumbered = { id_number: '' };
const neverAssigned = { id_number: residentNumber('19800101', '001', '629999') };
const dead = [death('B', '王强', '01 08:00:00', { id_number: WANG.id_number })];

describe('MP01 a residence registration that expired', () => {
  const expired = residence('J', { valid_until: '20261117' });

  test('the person insured here and not local: the latest registration is found', async () => {
    const found = await night('MP01', {
      residence_registration: [expired, residence('I', { valid_until: '20250101' })],
      social_insurance: [insurance('S')],
    });
    expect(found).toEqual(['residence_registration J subject']);
  });

  test('someone who moved out of the register is not local: found', async () => {
    const found = await night('MP01', {
      residence_registration: [expired],
      social_insurance: [insurance('S')],
      household_register: [register('H', { status: '2' })],
    });
    expect(found).toEqual(['residence_registration J subject']);
  });

  test('valid until today, until it is over', async () => {
    const today = [residence('J', { valid_until: '20261118' })];
    const social_insurance = [insurance('S')];
    expect(await night('MP01', { residence_registration: today, social_insurance })).toEqual([]);
    expect(await night('MP01', { social_insurance }, TOMORROW)).toEqual(['residence_registration J subject']);
  });

  test.each([
    ['renewed', { residence_registration: [expired, residence('K')], social_insurance: [insurance('S')] }],
    [
      'insurance suspended',
      { residence_registration: [expired], social_insurance: [insurance('S', { status: '2' })] },
    ],
    [
      'local',
      {
        residence_registration: [expired],
        social_insurance: [insurance('S')],
        household_register: [register('H')],
      },
    ],
    [
      'dead',
      { residence_registration: [expired], social_insurance: [insurance('S')], death_registration: dead },
    ],
  ])('%s: not found', async (_why, rows) => {
    expect(await night('MP01', rows)).toEqual([]);
  });
});

describe('MP02 a tenant without residence registration', () => {
  const found = ['housing_lease L tenant'];

  test('a lease of 32 days, and one whose tenant gave no number: found', async () => {
    const housing_lease = [
      lease('L', { starts_on: '20261017' }),
      lease('M', { tenant_id_number: '', tenant_name: '赵敏' }),
    ];
    expect(await night('MP02', { housing_lease })).toEqual([...found, 'housing_lease M tenant']);
  });

  test('the tenant is asked for, not the landlord', async () => {
    const landlord = { landlord_name: '赵敏', landlord_id_number: residentNumber('19820202', '002') };
    const rows = { housing_lease: [lease('L', landlord)], household_register: [register('H')] };
    expect(await night('MP02', rows)).toEqual([]);
  });

  test.each([
    ['a lease of 31 days', { housing_lease: [lease('L', { starts_on: '20261018' })] }],
    ['a lease that is over', { housing_lease: [lease('L', { ends_on: '20261117' })] }],
    ['a lease that is cancelled', { housing_lease: [lease('L', { status: '注销' })] }],
    ['local', { housing_lease: [lease('L')], household_register: [register('H')] }],
    ['a registration', { housing_lease: [lease('L')], residence_registration: [residence('J')] }],
    [
      'an expired registration',
      { housing_lease: [lease('L')], residence_registration: [residence('J', { valid_until: '20250101' })] },
    ],
    ['dead', { housing_lease: [lease('L')], death_registration: dead }],
    [
      'a registration under another name',
      { housing_lease: [lease('L')], residence_registration: [residence('J', { name: '李娜' })] },
    ],
    [
      'no number, but a registration with this name at this place',
      { housing_lease: [lease('L', { tenant_id_number: '' })], residence_registration: [residence('J')] },
    ],
    [
      'a registration without number, with this name and phone',
      {
        housing_lease: [lease('L', { tenant_phone: '13912341234' })],
        residence_registration: [
          residence('J', { ...unnumbered, living_division: '620802002002', phone: '13912341234' }),
        ],
      },
    ],
    [
      'a registration with this name at this place, whose number has an area that never was',
      { housing_lease: [lease('L')], residence_registration: [residence('J', neverAssigned)] },
    ],
  ])('%s: not found', async (_why, rows) => {
    expect(await night('MP02', rows)).toEqual([]);
  });

  test('a namesake at the same place with a number of his own is another person: found', async () => {
    const namesake = { id_number: residentNumber('19820202', '003') };
    const rows = { housing_lease: [lease('L')], residence_registration: [residence('J', namesake)] };
    expect(await night('MP02', rows)).toEqual(found);
  });

  test('the case closes when the tenant registers', async () => {
    expect(await night('MP02', { housing_lease: [lease('L')] })).toEqual(found);
    expect(await night('MP02', { residence_registration: [residence('J')] }, TOMORROW)).toEqual([]);
  });
});

describe('MP03 insured for half a year without residence registration', () => {
  test('one case a person, at the earliest active insurance', async () => {
    const found = await night('MP03', {
      social_insurance: [
        insurance('S', { insured_since: '20230101' }),
        insurance('S', { insurance_kind: '310', insured_since: '20220101' }),
        insurance('S', { insurance_kind: '170', insured_since: '20210101', status: '3' }),
      ],
    });
    expect(found).toEqual(['social_insurance S|310 subject']);
    const [first] = await openCases('MP03');
    expect(first?.subject).toBe(`person ${first?.person_id}`);
  });

  test('insured for six months to the day: found, and a day less is not', async () => {
    const since = (date: string) => ({ social_insurance: [insurance('S', { insured_since: date })] });
    expect(await night('MP03', since('20260519'))).toEqual([]);
    expect(await night('MP03', since('20260519'), TOMORROW)).toEqual(['social_insurance S|110 subject']);
  });

  test.each([
    ['local', { social_insurance: [insurance('S')], household_register: [register('H')] }],
    ['registered', { social_insurance: [insurance('S')], residence_registration: [residence('J')] }],
    ['suspended', { social_insurance: [insurance('S', { status: '2' })] }],
    ['dead', { social_insurance: [insurance('S')], death_registration: dead }],
    [
      'the number of a local person of another name',
      { social_insurance: [insurance('S')], household_register: [register('H', { name: '李娜' })] },
    ],
    [
      'no number, but the name and birth date of a local person',
      { social_insurance: [insurance('S', unnumbered)], household_register: [register('H')] },
    ],
    [
      'the name and birth date of a registration without number',
      { social_insurance: [insurance('S')], residence_registration: [residence('J', unnumbered)] },
    ],
    [
      'a number whose area never was, but the name and birth date of a local person',
      { social_insurance: [insurance('S', neverAssigned)], household_register: [register('H')] },
    ],
    [
      'the like, and the name of the local person unreadable',
      {
        social_insurance: [insurance('S', neverAssigned)],
        household_register: [register('H', { name: '王?' })],
      },
    ],
  ])('%s: not found', async (_why, rows) => {
    expect(await night('MP03', rows)).toEqual([]);
  });

  test('a local namesake born on the same day, with a number of his own, is another person: found', async () => {
    const namesake = { id_number: residentNumber('19800101', '003') };
    const rows = { social_insurance: [insurance('S')], household_register: [register('H', namesake)] };
    expect(await night('MP03', rows)).toEqual(['social_insurance S|110 subject']);
  });
});

describe('MP05 too little floor area', () => {
  test('less than five square metres a person: found', async () => {
    const housing_lease = [lease('L', { floor_area: '24.9', occupants: '5' })];
    expect(await night('MP05', { housing_lease })).toEqual(['housing_lease L']);
  });

  test('five square metres, nobody, or nothing said: not found', async () => {
    const housing_lease = [
      lease('L', { floor_area: '25', occupants: '5' }),
      lease('M', { floor_area: '20', occupants: '0' }),
      lease('N', { floor_area: '20' }),
      lease('O', { occupants: '9' }),
    ];
    expect(await night('MP05', { housing_lease })).toEqual([]);
  });

  test('the case closes when the number of occupants is mended, though the persons stay the same', async () => {
    const at = (occupants: string, updated_at: string) => ({
      housing_lease: [lease('L', { floor_area: '20', occupants, updated_at })],
    });
    expect(await night('MP05', at('5', '2026-11-01 08:00:00'))).toEqual(['housing_lease L']);
    expect(await night('MP05', at('4', '2026-11-18 08:00:00'), TOMORROW)).toEqual([]);
  });
});
