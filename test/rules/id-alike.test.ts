import { describe, expect, test } from 'vitest';
import type { Row } from '../support/drop.ts';
import {
  insurance,
  marriage,
  register,
  residence,
  residentNumber,
  TOMORROW,
  useRules,
  WANG,
} from './situation.ts';

const { night, openCases } = useRules();

describe('ID02 registered twice', () => {
  const OTHER = residentNumber('19800101', '003', '620102');
  /** 王强 under his own number and, in another household, under another one. */
  const twice = (first: Row, second: Row): Row[] => [
    register('1', first),
    register('2', { id_number: OTHER, ...second }),
  ];
  const phone = '13998609106';

  test('the same telephone: found on the later registration, whenever the records last changed', async () => {
    const household_register = twice({ phone, updated_at: '2026-11-17 08:00:00' }, { phone });
    expect(await night('ID02', { household_register })).toEqual(['household_register 2 subject']);
    expect(await openCases('ID02')).toMatchObject([
      { evidence: { other_record: '1', in_common: ['phone'] } },
    ]);
  });

  test('whoever moved in later registered later, whatever the number in the register', async () => {
    const household_register = twice({ phone, moved_in_on: '20200101' }, { phone });
    expect(await night('ID02', { household_register })).toEqual(['household_register 1 subject']);
  });

  test.each<[string, Row, Row]>([
    ['address', { registered_address: '白水镇12号' }, { registered_address: '白水镇十二号' }],
    ['household', { household_number: 'H' }, { household_number: 'H' }],
  ])('the same %s: found', async (sign, first, second) => {
    expect(await night('ID02', { household_register: twice(first, second) })).toHaveLength(1);
    expect(await openCases('ID02')).toMatchObject([{ evidence: { in_common: [sign] } }]);
  });

  test('a mother who is head of one household and lived in the other: found', async () => {
    const mother = {
      id_number: residentNumber('19550505', '002'),
      name: '李娜',
      sex: '2',
      birth_date: '19550505',
    };
    const household_register = [
      ...twice({ kinship: '20' }, { kinship: '02' }),
      register('3', { ...mother, household_number: 'H1', kinship: '02' }),
      register('4', { ...mother, household_number: 'H2', kinship: '52', status: '2' }),
    ];
    expect(await night('ID02', { household_register })).toEqual(['household_register 2 subject']);
    expect(await openCases('ID02')).toMatchObject([{ evidence: { in_common: ['parent'] } }]);
  });

  test('a mother in one household whom the birth certificate of the other names: found', async () => {
    const mother = {
      id_number: residentNumber('19550505', '002'),
      name: '李娜',
      sex: '2',
      birth_date: '19550505',
    };
    const household_register = [
      ...twice({ kinship: '20', registered_division: '620802104211' }, {}),
      register('3', { ...mother, household_number: 'H1', kinship: '02' }),
    ];
    // Without the mother's number the household tells nothing of the child: the village tells which of the two it is,
    // the one without a mother at home.
    const birth_certificate = [
      {
        certificate_number: 'C',
        child_name: WANG.name,
        child_sex: WANG.sex,
        child_birth_date: WANG.birth_date,
        mother_birth_date: mother.birth_date,
        mother_name: mother.name,
        mother_living_division: '620802001001',
        updated_at: '2026-11-01 08:00:00',
      },
    ];
    expect(await night('ID02', { household_register, birth_certificate })).toEqual([
      'household_register 2 subject',
    ]);
    expect(await openCases('ID02')).toMatchObject([{ evidence: { in_common: ['parent'] } }]);
  });

  test('the head of both households, father of the one and father-in-law of the other: not found', async () => {
    const head = {
      id_number: residentNumber('19550505', '001'),
      name: '李刚',
      birth_date: '19550505',
      kinship: '02',
    };
    const household_register = [
      ...twice({ kinship: '20' }, { kinship: '28' }),
      register('3', { ...head, household_number: 'H1' }),
      register('4', { ...head, household_number: 'H2', status: '2' }),
    ];
    expect(await night('ID02', { household_register })).toEqual([]);
  });

  test('a wife of one registration whom the other one married: found', async () => {
    const wife = { name: '赵敏', id: residentNumber('19820202', '002') };
    const household_register = [
      ...twice({ kinship: '02' }, {}),
      register('3', {
        id_number: wife.id,
        name: wife.name,
        sex: '2',
        birth_date: '19820202',
        household_number: 'H1',
        kinship: '12',
      }),
    ];
    const marriage_registration = [{ ...marriage('M', '20100101', wife), husband_id_number: OTHER }];
    expect(await night('ID02', { household_register, marriage_registration })).toEqual([
      'household_register 2 subject',
    ]);
    expect(await openCases('ID02')).toMatchObject([{ evidence: { in_common: ['spouse'] } }]);
  });

  test.each<[string, Row, Row]>([
    ['namesakes of one birthday with nothing in common', {}, {}],
    [
      'an address that is a whole village',
      { registered_address: '白水镇史家沟' },
      { registered_address: '白水镇史家沟' },
    ],
    ['telephones that are placeholders', { phone: '13800000000' }, { phone: '13800000000' }],
    ['one registration has ended', { phone, status: '2' }, { phone }],
    ['one number', { phone }, { phone, id_number: WANG.id_number }],
    ['the number of one is invalid', { phone }, { phone, id_number: '620802198001010000' }],
    ['homophones, who may be twins', { phone }, { phone, name: '王墙' }],
    ['another birth date', { phone }, { phone, birth_date: '19800102' }],
  ])('%s: not found', async (_why, first, second) => {
    expect(await night('ID02', { household_register: twice(first, second) })).toEqual([]);
  });

  test('a case closes when one registration is cancelled', async () => {
    await night('ID02', { household_register: twice({ phone }, { phone }) });
    expect(
      await night('ID02', { household_register: twice({ phone }, { phone, status: '4' }) }, TOMORROW),
    ).toEqual([]);
  });
});

describe('ID03 a slip of the pen in the number', () => {
  const NUMBER = WANG.id_number;
  const at = (place: number, text: string, replaced: number): string =>
    NUMBER.slice(0, place) + text + NUMBER.slice(place + replaced);
  const swapped = (place: number): string => at(place, `${NUMBER[place + 1]}${NUMBER[place]}`, 2);

  test.each([
    ['one digit wrong', at(14, '5', 1)],
    ['one digit wrong', `${at(14, '5', 1).slice(0, 6)} ${at(14, '5', 1).slice(6)}`],
    ['two digits swapped', swapped(3)],
    ['one digit missing', at(8, '', 1)],
    ['one digit too many', at(8, '88', 1)],
  ])('%s (%s): found on the odd record', async (slip, odd) => {
    const found = await night('ID03', {
      household_register: [register('H')],
      social_insurance: [insurance('S', { id_number: odd })],
    });
    expect(found).toEqual(['social_insurance S|110 subject']);
    expect(await openCases('ID03')).toMatchObject([{ evidence: { slip, other_record: 'H' } }]);
  });

  test.each<[string, Row, Row]>([
    [
      'the register has the odd number, and the name is a homophone',
      { id_number: at(14, '5', 1) },
      { name: '王墙' },
    ],
    [
      'the number is known by its old form of 15 digits',
      { id_number: at(14, '5', 1) },
      { id_number: '620802800101001' },
    ],
    [
      'the right record has its birth date from the number alone',
      { id_number: at(14, '5', 1) },
      { birth_date: '' },
    ],
  ])('%s: found', async (_how, registered, insured) => {
    const found = await night('ID03', {
      household_register: [register('H', registered)],
      social_insurance: [insurance('S', insured)],
    });
    expect(found).toEqual(['household_register H subject']);
  });

  test.each<[string, Row]>([
    ['two digits wrong', { id_number: at(14, '55', 2) }],
    ['two digits swapped that are no neighbours', { id_number: at(0, '0268', 4) }],
    ['another birth date', { id_number: at(14, '5', 1), birth_date: '19800102' }],
    ['no birth date', { id_number: at(14, '5', 1), birth_date: '' }],
    ['a name that is not compatible', { id_number: at(14, '5', 1), name: '李强' }],
    ['another valid number', { id_number: residentNumber('19800101', '011') }],
    ['no number', { id_number: '' }],
  ])('%s: not found', async (_why, insured) => {
    const found = await night('ID03', {
      household_register: [register('H')],
      social_insurance: [insurance('S', insured)],
    });
    expect(found).toEqual([]);
  });
});

describe('ID04 names that sound or look alike under one number', () => {
  test.each([
    ['sound', '王墙'],
    ['shape', '王国', '王固'],
  ])(
    'by %s: the record that differs from the household register is found, however many agree',
    async (alike, ...names) => {
      const [odd = '', registered = '王强'] = names;
      const found = await night('ID04', {
        household_register: [register('H', { name: registered })],
        social_insurance: [
          insurance('S', { name: odd }),
          insurance('S', { name: odd, insurance_kind: '310' }),
        ],
      });
      expect(found).toEqual(['social_insurance S|110 subject', 'social_insurance S|310 subject']);
      const [first] = await openCases('ID04');
      expect(first?.evidence).toMatchObject({ alike, expected_by: 'household register' });
    },
  );

  test('a number written with fifteen digits is the same number', async () => {
    const found = await night('ID04', {
      household_register: [register('H')],
      social_insurance: [insurance('S', { name: '王墙', id_number: '620802800101001' })],
    });
    expect(found).toEqual(['social_insurance S|110 subject']);
  });

  test('without the household register, the record that differs from the majority', async () => {
    const found = await night('ID04', {
      residence_registration: [residence('J', { name: '王墙' })],
      social_insurance: [insurance('S'), insurance('S', { insurance_kind: '310' })],
    });
    expect(found).toEqual(['residence_registration J subject']);
  });

  test('one against one, the record that came later', async () => {
    await night('ID04', { social_insurance: [insurance('S')] });
    const residence_registration = [residence('J', { name: '王墙' })];
    expect(await night('ID04', { residence_registration }, TOMORROW)).toEqual([
      'residence_registration J subject',
    ]);
  });

  test.each([
    ['unreadable characters', '王□'],
    ['spaces', '王 强'],
    ['another name', '李强'],
    ['no name', '不详'],
  ])('%s: not found', async (_why, name) => {
    const found = await night('ID04', {
      household_register: [register('H')],
      social_insurance: [insurance('S', { name })],
    });
    expect(found).toEqual([]);
  });

  test('the middle dot alone, or another number: not found', async () => {
    const found = await night('ID04', {
      household_register: [register('H', { name: '买买提·艾力' })],
      social_insurance: [
        insurance('S', { name: '买买提艾力' }),
        insurance('T', { name: '买买提爱力', id_number: residentNumber('19800101', '003') }),
      ],
    });
    expect(found).toEqual([]);
  });
});
