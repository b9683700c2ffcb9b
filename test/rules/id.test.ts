import { describe, expect, test } from 'vitest';
import { death, type Row, title } from '../support/drop.ts';
import {
  allowance,
  insurance,
  marriage,
  register,
  residence,
  residentNumber,
  TOMORROW,
  useRules,
  WANG,
} from './situation.ts';

const { night, openCases, run } = useRules();

describe('ID01 one number, two names', () => {
  test('the record that disagrees with the household register is found, however many agree with it', async () => {
    const found = await night('ID01', {
      household_register: [register('H')],
      social_insurance: [
        insurance('S', { name: '李娜' }),
        insurance('S', { name: '李娜', insurance_kind: '310' }),
      ],
    });
    expect(found).toEqual(['social_insurance S|110 subject', 'social_insurance S|310 subject']);
    const [first] = await openCases('ID01');
    expect(first?.evidence).toMatchObject({
      name: '李*',
      expected_name: '王*',
      expected_by: 'household register',
    });
  });

  test('without the household register, the record that disagrees with the majority', async () => {
    const found = await night('ID01', {
      residence_registration: [residence('J')],
      social_insurance: [insurance('S', { name: '李娜' })],
      housing_ownership: [title('Q', '王强', { owner_id_number: WANG.id_number })],
    });
    expect(found).toEqual(['social_insurance S|110 subject']);
  });

  test('homophones, look-alikes, unreadable characters and placeholders are no other name', async () => {
    await run('DQ09', 'ID01');
    const found = await night('ID01', {
      household_register: [register('H', { name: '王志晖' })],
      social_insurance: [
        insurance('1', { name: '王志惠' }),
        insurance('2', { name: '王志?' }),
        insurance('3', { name: '王 志晖' }),
        insurance('4', { name: '不详' }),
      ],
    });
    expect(found).toEqual([]);
  });

  test('the case closes when the record is mended', async () => {
    const household_register = [register('H')];
    await night('ID01', { household_register, social_insurance: [insurance('S', { name: '李娜' })] });
    expect(await night('ID01', { social_insurance: [insurance('S')] }, TOMORROW)).toEqual([]);
  });
});

/** 王强 died on this day. Thirty-one days before the night is 18 October. */
const died = (on: string): Row[] => [
  death('B', '王强', '01 08:00:00', { id_number: WANG.id_number, died_on: on }),
];

describe('ID05 insured or drawing benefits after death', () => {
  test('active insurance, and an ended one whose benefit is drawn: found', async () => {
    const found = await night('ID05', {
      death_registration: died('2026-10-17'),
      social_insurance: [
        insurance('S'),
        insurance('S', { insurance_kind: '170', status: '3', benefit_status: '1' }),
      ],
    });
    expect(found).toEqual(['social_insurance S|110 subject', 'social_insurance S|170 subject']);
  });

  test.each([
    ['dead for 31 days', '2026-10-18', insurance('S')],
    ['insurance and benefit ended', '2026-10-17', insurance('S', { status: '3', benefit_status: '2' })],
    [
      'a namesake of another number',
      '2026-10-17',
      insurance('S', { id_number: residentNumber('19800101', '003') }),
    ],
  ])('%s: not found', async (_why, on, insured) => {
    expect(await night('ID05', { death_registration: died(on), social_insurance: [insured] })).toEqual([]);
  });

  test('a case comes with the days, though no record has changed', async () => {
    await night('ID05', { death_registration: died('2026-10-18'), social_insurance: [insurance('S')] });
    expect(await night('ID05', { social_insurance: [insurance('S')] }, TOMORROW)).toEqual([
      'social_insurance S|110 subject',
    ]);
  });
});

describe('ID06 subsistence allowance after death', () => {
  test('found', async () => {
    const found = await night('ID06', {
      death_registration: died('2026-10-17'),
      subsistence_allowance: [allowance('A')],
    });
    expect(found).toEqual(['subsistence_allowance A|1 subject']);
  });

  test('dead for 31 days, or another member of the household: not found', async () => {
    const other = { id_number: residentNumber('19800101', '003') };
    const found = await night('ID06', {
      death_registration: died('2026-10-18'),
      subsistence_allowance: [allowance('A'), allowance('B', other)],
    });
    expect(found).toEqual([]);
  });
});

describe('ID08 still in the household register after death', () => {
  test('found', async () => {
    const found = await night('ID08', {
      death_registration: died('2026-10-17'),
      household_register: [register('H')],
    });
    expect(found).toEqual(['household_register H subject']);
  });

  test('cancelled, or dead for 31 days: not found', async () => {
    const cancelled = register('H', { status: '3', cancelled_on: '20261020' });
    expect(
      await night('ID08', { death_registration: died('2026-10-17'), household_register: [cancelled] }),
    ).toEqual([]);
  });

  test('dead for 31 days: not found', async () => {
    expect(
      await night('ID08', { death_registration: died('2026-10-18'), household_register: [register('H')] }),
    ).toEqual([]);
  });
});

describe('ID10 overlapping marriages', () => {
  const first = { name: '李娜', id: residentNumber('19820202', '002') };
  const second = { name: '赵敏', id: residentNumber('19850505', '004') };

  test('two marriages with nothing between: the later one is found, whatever the order of arrival', async () => {
    const found = await night('ID10', {
      marriage_registration: [marriage('A', '20200101', second), marriage('B', '20100101', first)],
    });
    expect(found).toEqual(['marriage_registration A husband']);
    const [overlap] = await openCases('ID10');
    expect(overlap?.evidence).toMatchObject({ earlier_record: 'B', earlier_registered_on: '2010-01-01' });
  });

  test('a divorce before the first marriage, or after the second, is none between', async () => {
    const found = await night('ID10', {
      marriage_registration: [
        marriage('A', '20100101', first),
        marriage('B', '20200101', second),
        marriage('C', '20050101', first, '离婚'),
        marriage('D', '20210101', second, '离婚'),
      ],
    });
    expect(found).toEqual(['marriage_registration B husband']);
  });

  test('a divorce between: not found', async () => {
    const found = await night('ID10', {
      marriage_registration: [
        marriage('A', '20100101', first),
        marriage('B', '20150101', first, '离婚'),
        marriage('C', '20200101', second),
      ],
    });
    expect(found).toEqual([]);
  });

  test("the first spouse's death between, registered by civil affairs or in the household register: not found", async () => {
    const marriages = [marriage('A', '20100101', first), marriage('B', '20200101', second)];
    const dead = death('B', first.name, '01 08:00:00', { id_number: first.id, died_on: '2018-01-01' });
    expect(await night('ID10', { marriage_registration: marriages, death_registration: [dead] })).toEqual([]);
  });

  test('the first spouse cancelled for death in the household register: not found', async () => {
    const found = await night('ID10', {
      marriage_registration: [marriage('A', '20100101', first), marriage('B', '20200101', second)],
      household_register: [
        register('H', { name: first.name, id_number: first.id, status: '3', cancelled_on: '20180101' }),
      ],
    });
    expect(found).toEqual([]);
  });

  test.each([
    ['a wrong number', { name: first.name, id: '620802198202020000' }],
    ['15 digits', { name: first.name, id: '620802820202002' }],
    ['another name', { name: '不详', id: first.id }],
  ])('the same couple again, with %s: not found', async (_how, wife) => {
    const marriage_registration = [marriage('A', '20100101', first), marriage('B', '20120101', wife)];
    expect(await night('ID10', { marriage_registration })).toEqual([]);
  });
});
