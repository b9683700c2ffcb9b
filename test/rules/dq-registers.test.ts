import { describe, expect, test } from 'vitest';
import { type Row, title } from '../support/drop.ts';
import { birth, died, report } from './registers.ts';
import {
  insurance,
  lease,
  marriage,
  register,
  residence,
  residentNumber,
  TOMORROW,
  useRules,
  WANG,
} from './situation.ts';

const { night, openCases } = useRules();
const record = (key: string | number): string => `household_register ${key} subject`;
/** A person of the register for each sequence number: numbers, names and households differ. */
const people = (numbers: readonly number[], more: Row): Row[] =>
  numbers.map((number) =>
    register(String(number), { id_number: residentNumber('19800101', String(100 + number)), ...more }),
  );

describe('DQ11 a name that was put into its normal form', () => {
  test('a space, full width, another dot, small letters: found', async () => {
    const names = ['王 强', 'ＪＯＨＮ', '买买提•吐尔逊', 'john'];
    const found = await night('DQ11', {
      household_register: names.map((name, index) => register(String(index), { name })),
    });
    expect(found).toEqual([record(0), record(1), record(2), record(3)]);
  });

  test('the normal form, unreadable characters alone, and placeholders: not found', async () => {
    const names = ['王强', '买买提·吐尔逊', 'JOHN SMITH', '王?', '王？？强', '王\uE000', '不详'];
    const found = await night('DQ11', {
      household_register: names.map((name, index) => register(String(index), { name })),
    });
    expect(found).toEqual([]);
  });
});

describe('DQ12 one telephone on many persons', () => {
  const phone = '13912341234';

  test('seven persons of four households: found once, and the case does not tell the number', async () => {
    const household_register = [
      ...people([1, 2, 3, 4], { phone, household_number: 'A' }),
      ...people([5], { phone, household_number: 'B' }),
      ...people([6], { phone, household_number: 'C' }),
      ...people([7], { phone, household_number: 'D' }),
    ];
    expect(await night('DQ12', { household_register })).toEqual([record(1)]);
    const [found] = await openCases('DQ12');
    expect(JSON.stringify(found)).not.toContain(phone);
    expect(found?.evidence).toMatchObject({ persons: 7, households: 4, phone: '139****1234' });
  });

  test.each([
    ['six persons', people([1, 2, 3, 4, 5, 6], { phone })],
    [
      'seven persons of three households',
      [1, 2, 3, 4, 5, 6, 7].flatMap((number) =>
        people([number], { phone, household_number: `H${number % 3}` }),
      ),
    ],
    [
      'one person with many records',
      Array.from({ length: 8 }, (_, index) => register(String(index), { phone })),
    ],
  ])('%s: not found', async (_why, household_register) => {
    expect(await night('DQ12', { household_register })).toEqual([]);
  });

  test('those who live here without being registered here belong to their dwellings', async () => {
    const residence_registration = [1, 2, 3, 4, 5, 6, 7].map((number) =>
      residence(String(number), {
        id_number: residentNumber('19800101', String(100 + number)),
        dwelling_code: `F${number % 4}`,
        phone,
      }),
    );
    expect(await night('DQ12', { residence_registration })).toEqual(['residence_registration 1 subject']);
  });
});

describe('DQ13 registered at an age that hardly anybody reaches', () => {
  const born = (date: string, more: Row = {}): Row =>
    register(date, { birth_date: date, id_number: residentNumber(date), ...more });

  test('116 years today: found, with what others know', async () => {
    const found = await night('DQ13', {
      household_register: [born('19101118')],
      social_insurance: [
        insurance('S', {
          id_number: residentNumber('19101118'),
          birth_date: '19101118',
          benefit_status: '1',
        }),
      ],
    });
    expect(found).toEqual([record('19101118')]);
    const [first] = await openCases('DQ13');
    expect(first?.evidence).toMatchObject({ insurance_record: 'S|110', death_record: null });
  });

  test('116 years tomorrow, cancelled, or old by a slip of the birth date alone: not found', async () => {
    const found = await night('DQ13', {
      household_register: [
        born('19101119'),
        born('19000101', { status: '3', cancelled_on: '19900101' }),
        register('slip', { birth_date: '19000101' }),
      ],
    });
    expect(found).toEqual([]);
  });

  test('without a number, the recorded date counts', async () => {
    const household_register = [register('0', { birth_date: '19000101', id_number: '' })];
    expect(await night('DQ13', { household_register })).toEqual([record(0)]);
  });
});

describe('DQ14 no document number', () => {
  test('found, in each role that should have one', async () => {
    const found = await night('DQ14', {
      household_register: [register('0', { id_number: '' })],
      housing_lease: [lease('L', { landlord_id_number: residentNumber('19700101'), tenant_id_number: '' })],
    });
    expect(found).toEqual([record(0), 'housing_lease L tenant']);
  });

  test('a wrong one, a placeholder, and a newborn without one: not found', async () => {
    const found = await night('DQ14', {
      household_register: [
        register('0', { id_number: '123' }),
        register('1', { id_number: '111111111111111111' }),
      ],
      birth_certificate: [birth('C', '20261001')],
    });
    expect(found).toEqual([]);
  });
});

describe('DQ15 events before birth or after death', () => {
  const wife = { name: '李娜', id: residentNumber('19820202', '002') };

  test('insured before birth, death before birth: found', async () => {
    const found = await night('DQ15', {
      social_insurance: [insurance('S', { insured_since: '19791231' })],
      death_registration: died('1979-12-31', { birth_date: '' }),
    });
    expect(found).toEqual(['death_registration B subject', 'social_insurance S|110 subject']);
  });

  test('by the number that the same person has elsewhere, too', async () => {
    const found = await night('DQ15', {
      household_register: [register('H')],
      social_insurance: [insurance('S', { id_number: '', insured_since: '19791231' })],
    });
    expect(found).toEqual(['social_insurance S|110 subject']);
  });

  test('a marriage, a lease and a title after death: found at these records', async () => {
    const found = await night('DQ15', {
      death_registration: died('2026-06-01'),
      marriage_registration: [marriage('M', '20260602', wife)],
      housing_lease: [lease('L', { starts_on: '20260701' })],
      housing_ownership: [
        title('Q', WANG.name, { owner_id_number: WANG.id_number, registered_on: '20260801' }),
      ],
      village_report: [report('1', '返乡', '20261001')],
    });
    expect(found).toEqual([
      'housing_lease L tenant',
      'housing_ownership Q owner',
      'marriage_registration M husband',
      'village_report 620802001001|202610|1 subject',
    ]);
    const married = (await openCases('DQ15')).find(({ anchor }) => anchor.startsWith('marriage'));
    expect(married?.evidence).toMatchObject({ contradiction: 'after death', died_on: '2026-06-01' });
  });

  test('on the day of birth or death, and between them: not found; nor the village that reports the death', async () => {
    const found = await night('DQ15', {
      death_registration: died('2026-06-01'),
      social_insurance: [insurance('S', { insured_since: '19800101' })],
      marriage_registration: [marriage('M', '20260601', wife)],
      housing_lease: [lease('L', { starts_on: '20260101' })],
      village_report: [report('1', '死亡', '20260602')],
    });
    expect(found).toEqual([]);
  });

  test('the death of a namesake is not meant', async () => {
    const found = await night('DQ15', {
      death_registration: died('2010-06-01', { id_number: residentNumber('19800101', '003') }),
      social_insurance: [insurance('S')],
    });
    expect(found).toEqual([]);
  });
});

describe('DQ16 a division code that is not in the current table', () => {
  test('found in any field, with the division above that is known', async () => {
    const found = await night('DQ16', {
      household_register: [register('H', { registered_division: '620802001999' })],
      social_insurance: [insurance('S', { insured_division: '629999000000' })],
    });
    expect(found).toEqual(['household_register H', 'social_insurance S|110']);
    const [first] = await openCases('DQ16');
    expect(first?.evidence).toEqual({ registered_division: { code: '620802001999', within: '东关街道' } });
  });

  test('codes of all levels that are in the table, and none at all: not found', async () => {
    const found = await night('DQ16', {
      household_register: [register('H'), register('I', { registered_division: '620802001000' })],
      social_insurance: [insurance('S'), insurance('T', { insured_division: '' })],
    });
    expect(found).toEqual([]);
  });

  test('the case closes when the code is mended, though the person stays the same', async () => {
    const insured = (insured_division: string) => ({
      social_insurance: [insurance('S', { insured_division })],
    });
    expect(await night('DQ16', insured('629999000000'))).toEqual(['social_insurance S|110']);
    expect(await night('DQ16', insured('620802000000'), TOMORROW)).toEqual([]);
  });
});
