import { describe, expect, test } from 'vitest';
import type { Row } from '../support/drop.ts';
import { birth, died, LI, trader } from './registers.ts';
import {
  insurance,
  lease,
  marriage,
  register,
  residentNumber,
  TOMORROW,
  useRules,
  WANG,
} from './situation.ts';

const { night, openCases } = useRules();
const cancelled = register('H', { status: '3', cancelled_on: '20260601' });

describe('ID07 dead and party to a lease', () => {
  const landlord = { landlord_id_number: WANG.id_number, landlord_name: WANG.name };
  const other = { tenant_id_number: residentNumber('19850505', '004'), tenant_name: '赵敏' };

  test('as tenant and as landlord, dead by either register: found', async () => {
    const housing_lease = [lease('L'), lease('M', { ...landlord, ...other })];
    expect(await night('ID07', { housing_lease, death_registration: died('2026-11-17') })).toEqual([
      'housing_lease L tenant',
      'housing_lease M landlord',
    ]);
  });

  test('cancelled on death in the household register: found', async () => {
    const rows = { housing_lease: [lease('L')], household_register: [cancelled] };
    expect(await night('ID07', rows)).toEqual(['housing_lease L tenant']);
  });

  test.each([
    ['a lease that ended yesterday', lease('L', { ends_on: '20261117' })],
    ['a lease that begins tomorrow', lease('L', { starts_on: '20261119' })],
    ['a lease that is cancelled', lease('L', { status: '注销' })],
    ['another tenant', lease('L', other)],
  ])('%s: not found', async (_why, row) => {
    expect(await night('ID07', { housing_lease: [row], death_registration: died('2026-06-01') })).toEqual([]);
  });
});

describe('ID09 cancelled on death without a death registration', () => {
  test('five years ago to the day: found, and a day earlier is not', async () => {
    const household_register = [
      register('H', { status: '3', cancelled_on: '20211118' }),
      register('I', { status: '3', cancelled_on: '20211117', id_number: residentNumber('19800101', '003') }),
    ];
    expect(await night('ID09', { household_register })).toEqual(['household_register H subject']);
  });

  test('insurance that goes on is told', async () => {
    await night('ID09', { household_register: [cancelled], social_insurance: [insurance('S')] });
    const [first] = await openCases('ID09');
    expect(first?.evidence).toMatchObject({ active_insurance_record: 'S|110', cancelled_on: '2026-06-01' });
  });

  test.each([
    ['a death registration', cancelled, {}],
    [
      'one without number, of the same name and birth date',
      cancelled,
      { id_number: '', birth_date: '19800101' },
    ],
    [
      'one whose number has an area that never was',
      cancelled,
      { id_number: residentNumber('19800101', '001', '629999'), birth_date: '19800101' },
    ],
    [
      'cancelled otherwise',
      register('H', { status: '4', cancelled_on: '20260601' }),
      { id_number: '', name: '赵敏' },
    ],
  ])('%s: not found', async (_why, row, death) => {
    const rows = { household_register: [row], death_registration: died('2026-05-30', death) };
    expect(await night('ID09', rows)).toEqual([]);
  });

  test("a namesake's death with a number of his own is another person's: found", async () => {
    const death_registration = died('2026-05-30', {
      id_number: residentNumber('19800101', '003'),
      birth_date: '19800101',
    });
    expect(await night('ID09', { household_register: [cancelled], death_registration })).toEqual([
      'household_register H subject',
    ]);
  });
});

describe('ID11 marital status', () => {
  const wife = { name: '李娜', id: residentNumber('19820202', '002') };
  const single = register('H', { marital_status: '10' });

  test('married, and never married in the register: found', async () => {
    const rows = { household_register: [single], marriage_registration: [marriage('M', '20200101', wife)] };
    expect(await night('ID11', rows)).toEqual(['household_register H subject']);
    const [first] = await openCases('ID11');
    expect(first?.evidence).toMatchObject({ marriage_record: 'M', married_on: '2020-01-01' });
  });

  test.each([
    ['divorced since', [single], [marriage('N', '20210101', wife, '离婚')]],
    ['married in the register, too', [register('H', { marital_status: '21' })], []],
    ['nothing said in the register', [register('H')], []],
    ['no longer in the register', [register('H', { marital_status: '10', status: '2' })], []],
  ])('%s: not found', async (_why, household_register, later) => {
    const marriage_registration = [marriage('M', '20200101', wife), ...later];
    expect(await night('ID11', { household_register, marriage_registration })).toEqual([]);
  });
});

describe('ID12 born and not in the household register', () => {
  const mother = register('M', { ...LI, sex: '2' });
  const child = (more: Row = {}): Row =>
    register('C', {
      id_number: residentNumber('20261017', '002'),
      name: '王小雨',
      sex: '2',
      birth_date: '20261017',
      ...more,
    });

  test('a certificate of 32 days: found, and one of 31 is not', async () => {
    const rows = (bornOn: string) => ({
      household_register: [mother],
      birth_certificate: [birth('Z', bornOn)],
    });
    expect(await night('ID12', rows('20261018'))).toEqual([]);
    expect(await night('ID12', {}, TOMORROW)).toEqual(['birth_certificate Z child']);
  });

  test.each([
    ['the child registered under its name', [mother, child()]],
    [
      'under another name in the household of the mother',
      [mother, child({ name: '王晴', household_number: 'HM' })],
    ],
    [
      'in the household of the father',
      [mother, register('F'), child({ name: '王晴', household_number: 'HF' })],
    ],
    ['the mother not local', []],
    ['the mother moved out', [{ ...mother, status: '2' }]],
  ])('%s: not found', async (_why, household_register) => {
    const birth_certificate = [
      birth('Z', '20261017', { father_id_number: WANG.id_number, father_name: WANG.name }),
    ];
    expect(await night('ID12', { household_register, birth_certificate })).toEqual([]);
  });

  test('the case closes when the child is registered', async () => {
    const others = ['003', '005'].map((sequence) =>
      register(sequence, { id_number: residentNumber('19800101', sequence) }),
    );
    const before = { household_register: [mother, ...others], birth_certificate: [birth('Z', '20261017')] };
    expect(await night('ID12', before)).toEqual(['birth_certificate Z child']);
    expect(await night('ID12', { household_register: [mother, ...others, child()] }, TOMORROW)).toEqual([]);
  });
});

describe("ID13 the mother's age and the interval of births", () => {
  test('the day before thirteen, and fifty-six to the day: found', async () => {
    const birth_certificate = [
      birth('Y', '20030201'),
      birth('Z', '20460202', { mother_id_number: '', issued_on: '' }),
    ];
    expect(await night('ID13', { birth_certificate })).toEqual([
      'birth_certificate Y mother',
      'birth_certificate Z mother',
    ]);
  });

  test('thirteen to the day, and the day before fifty-six: not found', async () => {
    const birth_certificate = [birth('Y', '20030202'), birth('Z', '20460201')];
    expect(await night('ID13', { birth_certificate })).toEqual([]);
  });

  test('births a day less than six months apart: the later one is found', async () => {
    const birth_certificate = [birth('Y', '20260714'), birth('Z', '20260115')];
    expect(await night('ID13', { birth_certificate })).toEqual(['birth_certificate Y mother']);
    const [first] = await openCases('ID13');
    expect(first?.evidence).toMatchObject({ earlier_record: 'Z', days_apart: 180 });
  });

  test('six months apart, and twins of the same day or the next: not found', async () => {
    const birth_certificate = [
      birth('W', '20260115'),
      birth('X', '20260115'),
      birth('Y', '20260116'),
      birth('Z', '20260716'),
    ];
    expect(await night('ID13', { birth_certificate })).toEqual([]);
  });
});

describe('ID15 insured twice', () => {
  test.each([
    ['two numbers of the same kind', insurance('T', { insured_since: '20210101' }), 'T|110'],
    ['110 and 170', insurance('S', { insurance_kind: '170', insured_since: '20210101' }), 'S|170'],
  ])('%s: the later record is found', async (_what, second, key) => {
    const found = await night('ID15', { social_insurance: [insurance('S'), second] });
    expect(found).toEqual([`social_insurance ${key} subject`]);
    const [first] = await openCases('ID15');
    expect(first?.evidence).toMatchObject({ other_record: 'S|110', other_insured_since: '2020-01-01' });
  });

  test('310 and 390: found', async () => {
    const social_insurance = [
      insurance('S', { insurance_kind: '390', insured_since: '20210101' }),
      insurance('S', { insurance_kind: '310' }),
    ];
    expect(await night('ID15', { social_insurance })).toEqual(['social_insurance S|390 subject']);
  });

  test.each([
    ['110 and 310', insurance('S', { insurance_kind: '310' })],
    ['one of them suspended', insurance('T', { status: '2' })],
    ['a namesake', insurance('T', { id_number: residentNumber('19800101', '003') })],
  ])('%s: not found', async (_why, second) => {
    expect(await night('ID15', { social_insurance: [insurance('S'), second] })).toEqual([]);
  });

  test('the case closes when one of them ends, though the persons stay the same', async () => {
    const both = [insurance('S'), insurance('T', { insured_since: '20210101' })];
    await night('ID15', { social_insurance: both });
    const ended = [insurance('S', { status: '3' }), insurance('T', { insured_since: '20210101' })];
    expect(await night('ID15', { social_insurance: ended }, TOMORROW)).toEqual([]);
  });
});

describe('ID16 dead and still operating', () => {
  test('found, dead by either register', async () => {
    expect(
      await night('ID16', { sole_trader: [trader('T')], death_registration: died('2026-11-17') }),
    ).toEqual(['sole_trader T operator']);
  });

  test('cancelled on death in the household register: found', async () => {
    expect(await night('ID16', { sole_trader: [trader('T')], household_register: [cancelled] })).toEqual([
      'sole_trader T operator',
    ]);
  });

  test('a cancelled business, and a living operator: not found', async () => {
    const living = { operator_id_number: residentNumber('19850505', '004'), operator_name: '赵敏' };
    const sole_trader = [trader('T', { status: 'cancelled' }), trader('U', living)];
    expect(await night('ID16', { sole_trader, death_registration: died('2026-06-01') })).toEqual([]);
  });
});
