import { describe, expect, test } from 'vitest';
import { normalisePhone } from '../../src/schema/standards/phones.ts';
import { isPlaceholderName } from '../../src/schema/standards/placeholders.ts';
import { insurance, register, residentNumber, TOMORROW, useRules, WANG } from './situation.ts';

const { night, openCases } = useRules();

/** A record of the register for each value, with the value's place in the list as its key. */
const eachAs = (field: string, values: readonly string[]) => ({
  household_register: values.map((value, index) => register(String(index), { [field]: value })),
});
const record = (key: string | number): string => `household_register ${key} subject`;

describe('DQ01 a document number that fails its check', () => {
  test('a wrong check digit, a wrong length, letters: found', async () => {
    const wrong = `${WANG.id_number.slice(0, 17)}${WANG.id_number.endsWith('1') ? '2' : '1'}`;
    const found = await night('DQ01', eachAs('id_number', [wrong, '62080219800101', '62080219800101ABCD']));
    expect(found).toEqual([record(0), record(1), record(2)]);
    for (const { evidence } of await openCases('DQ01'))
      expect(JSON.stringify(evidence)).not.toContain('19800101');
  });

  test('a valid one, 15 digits, a passport, a placeholder, none at all: not found', async () => {
    const fine = [WANG.id_number, '620802800101001', 'E12345678', '111111111111111111', ''];
    expect(await night('DQ01', eachAs('id_number', fine))).toEqual([]);
  });

  test('the case closes when the department mends the number', async () => {
    expect(await night('DQ01', eachAs('id_number', ['62080219800101']))).toEqual([record(0)]);
    expect(await night('DQ01', eachAs('id_number', [WANG.id_number]), TOMORROW)).toEqual([]);
  });
});

describe('DQ02 a number of 15 digits', () => {
  test('found, with its 18-digit form masked', async () => {
    expect(await night('DQ02', eachAs('id_number', ['620802800101001']))).toEqual([record(0)]);
    const [found] = await openCases('DQ02');
    expect(found?.evidence['eighteen_digit_form']).toBe(`6208**********${WANG.id_number.slice(14)}`);
  });

  test('the 18-digit form itself, and 15 digits that are no number: not found', async () => {
    expect(await night('DQ02', eachAs('id_number', [WANG.id_number, '620802801301001']))).toEqual([]);
  });
});

describe('DQ03 a birth date in the number that cannot be', () => {
  test('30 February with the right check digit, and tomorrow: found', async () => {
    const found = await night(
      'DQ03',
      eachAs('id_number', [residentNumber('19800230'), residentNumber('20261119')]),
    );
    expect(found).toEqual([record(0), record(1)]);
  });

  test('born today, and 29 February of a leap year: not found', async () => {
    const fine = [residentNumber('20261118'), residentNumber('19800229')];
    expect(await night('DQ03', eachAs('id_number', fine))).toEqual([]);
  });

  test('the case closes when the day has come, though the record has not changed', async () => {
    const tomorrow = eachAs('id_number', [residentNumber('20261119')]);
    expect(await night('DQ03', tomorrow)).toEqual([record(0)]);
    expect(await night('DQ03', tomorrow, TOMORROW)).toEqual([]);
  });
});

describe('DQ04 an area code that was never assigned', () => {
  test('found, in numbers of 18 and of 15 digits', async () => {
    const unknown = [residentNumber('19800101', '001', '629999'), '629999800101001'];
    expect(await night('DQ04', eachAs('id_number', unknown))).toEqual([record(0), record(1)]);
  });

  test('a code that was abolished long ago is not found', async () => {
    const abolished = [residentNumber('19800101', '001', '622701'), WANG.id_number];
    expect(await night('DQ04', eachAs('id_number', abolished))).toEqual([]);
  });
});

describe('DQ06 sex against the number', () => {
  test('a woman with an odd number, a man with an even one: found', async () => {
    const found = await night('DQ06', {
      household_register: [
        register('0', { sex: '2' }),
        register('1', { id_number: residentNumber('19800101', '002') }),
      ],
    });
    expect(found).toEqual([record(0), record(1)]);
  });

  test('unknown sex, 15 digits, and a number that fails its check contradict nothing', async () => {
    const found = await night('DQ06', {
      household_register: [
        register('0'),
        register('1', { sex: '0' }),
        register('2', { sex: '9' }),
        register('3', { sex: '2', id_number: '620802800101001' }),
        register('4', { sex: '2', id_number: '620802198001010000' }),
      ],
    });
    expect(found).toEqual([]);
  });
});

describe('DQ07 and DQ08: birth date against the number', () => {
  // 1 January 1980 was the 14th of the eleventh month of lunar 1979.
  test('another date is DQ07; the case says what differs without telling the date', async () => {
    const found = await night('DQ07', eachAs('birth_date', ['19800102', '19791115']));
    expect(found).toEqual([record(0), record(1)]);
    const [first] = await openCases('DQ07');
    expect(first?.evidence).toMatchObject({
      recorded_birth_date: '1980-**-**',
      same_year: true,
      same_month: true,
      same_day: false,
    });
  });

  test('the same date, and the lunar one, are not DQ07; nor is any date against 15 digits', async () => {
    const found = await night('DQ07', {
      household_register: [
        ...eachAs('birth_date', ['19800101', '19791114']).household_register,
        register('2', { birth_date: '19800102', id_number: '620802800101001' }),
      ],
    });
    expect(found).toEqual([]);
  });

  test('the lunar date is DQ08', async () => {
    expect(await night('DQ08', eachAs('birth_date', ['19791114']))).toEqual([record(0)]);
  });

  test('the same date, and a lunar date that is a day off, are not DQ08', async () => {
    expect(await night('DQ08', eachAs('birth_date', ['19800101', '19791115', '19791113']))).toEqual([]);
  });
});

describe('DQ09 placeholders', () => {
  test('as number, name or phone: one case a record, naming the fields', async () => {
    const found = await night('DQ09', {
      household_register: [
        register('0', { id_number: '111111111111111111' }),
        register('1', { name: '测试', phone: '13800000000' }),
        register('2', { name: '不详' }),
      ],
      social_insurance: [insurance('S', { phone: '无' })],
    });
    expect(found).toEqual([record(0), record(1), record(2), 'social_insurance S|110 subject']);
    const fields = (await openCases('DQ09')).map(({ evidence }) => Object.keys(evidence).sort());
    expect(fields).toEqual([['id_number'], ['name', 'phone'], ['name'], ['phone']]);
  });

  test("a guardian's telephone: found on the guardian", async () => {
    const pupil = {
      enrolment_number: 'G',
      name: '王小强',
      sex: '1',
      birth_date: '20150101',
      school: '白水镇中心小学',
      guardian_name: '李娜',
      guardian_phone: '13800000000',
    };
    expect(await night('DQ09', { school_enrolment: [pupil] })).toEqual(['school_enrolment G guardian']);
  });

  test('a wrong number, a name of three same characters, a phone that is none: not found', async () => {
    const found = await night('DQ09', {
      household_register: [
        register('0', { id_number: '620802198001010000' }),
        register('1', { name: '林林林' }),
        register('2', { phone: '1380000' }),
        register('3', { phone: '13812345670' }),
      ],
    });
    expect(found).toEqual([]);
  });

  test('a placeholder phone is found when it comes into a record that had none, and closes when it goes', async () => {
    const without = { household_register: [register('0', { phone: '' }), register('1')] };
    const withOne = { household_register: [register('0', { phone: '13900000000' }), register('1')] };
    expect(await night('DQ09', without)).toEqual([]);
    expect(await night('DQ09', withOne, TOMORROW)).toEqual([record(0)]);
    expect(await night('DQ09', without, '2026-11-20')).toEqual([]);
  });

  test('phones are judged as the standards judge them', async () => {
    const phones =
      '13800000000 13912345678 13987654321 13800138000 0933-8888888 8765432 88888888 123456789 00000 +86-13900000000 不详 无 ---- 13812341234 0933-8221234 8221234 12345 139000 电话'.split(
        ' ',
      );
    const expected = phones.flatMap((phone, index) =>
      normalisePhone(phone).kind === 'placeholder' ? [record(index)] : [],
    );
    expect(await night('DQ09', eachAs('phone', phones))).toEqual(expected.sort());
  });

  test('names are judged as the standards judge them', async () => {
    const names =
      '测试 测试一 某某 张某 不详 无名氏 新生儿 12345 ... XXX 王XX 啊啊啊啊 NULL 王强 张三 欧阳娜 买买提·吐尔逊 JOHN'.split(
        ' ',
      );
    const expected = names.flatMap((name, index) => (isPlaceholderName(name) ? [record(index)] : []));
    expect(await night('DQ09', eachAs('name', names))).toEqual(expected.sort());
  });
});

describe('DQ10 characters in a name that cannot be read', () => {
  test('question marks of both widths, boxes, private use: found', async () => {
    const found = await night('DQ10', eachAs('name', ['王?', '王？强', '王□', '王\uE000']));
    expect(found).toEqual([record(0), record(1), record(2), record(3)]);
  });

  test('rare characters, dots and Latin letters: not found', async () => {
    expect(await night('DQ10', eachAs('name', ['王𬍛', '买买提·吐尔逊', 'JOHN SMITH', '王 强']))).toEqual([]);
  });
});
