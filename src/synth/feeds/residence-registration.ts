import { compactDate } from '../calendar.ts';
import { phoneAfter, type SynthFeed, type SynthMention, type SynthRecord, saidOf } from '../feed.ts';
import { ageOf, type Block, type Person } from '../population.ts';
import { type Form, write } from '../slips.ts';
import { recordNumber, sourceNumber, updatedAt } from './shared.ts';

const FORM: Form = {
  number: 2,
  sex: true,
  birth: true,
  phone: true,
  missingIdNumber: 0.006,
  fifteenDigits: 0,
  besideRegister: true,
};

/** 居住登记: people from elsewhere, and natives who live in another village than they are registered in. */
export const residenceRegistration: SynthFeed = {
  name: 'residence_registration',
  department: 'public-security',
  mode: 'incremental',
  format: 'csv',
  delimiter: ',',
  encoding: 'gb18030',
  byteOrderMark: false,
  columns: [
    '登记编号',
    '公民身份号码',
    '姓名',
    '性别',
    '出生日期',
    '户籍地区划代码',
    '现住地区划代码',
    '现住地址',
    '房屋编码',
    '居住事由',
    '登记日期',
    '有效期至',
    '居住证编号',
    '联系电话',
    '更新时间',
  ],
  *records(block) {
    for (const [position, person] of block.persons.entries()) {
      if (person.residence !== undefined) yield registration(block, person, person.residence, position);
    }
  },
};

function registration(
  block: Block,
  person: Person,
  residence: NonNullable<Person['residence']>,
  position: number,
): SynthRecord {
  const { county } = block;
  const { household } = person;
  const number = recordNumber(block, position);
  const key = sourceNumber(county, 'J', 8, number);
  const mention: SynthMention = { role: 'subject', person, writing: write(county, person, FORM, number) };
  const expired = residence.until < county.firstDay;
  const grown = ageOf(county, person) > 16;
  const record: SynthRecord = {
    key,
    number,
    enters: person.enters,
    steady: person.exact,
    mentions: [mention],
    cases:
      expired && !person.registered && person.insurance !== undefined
        ? [{ rule: 'MP01', note: `expired ${compactDate(residence.until)}` }]
        : [],
    values(version) {
      const said = saidOf(mention, version);
      const renewed = expired && version.changedOn > 0;
      return [
        key,
        said.idNumber,
        said.name,
        said.sex,
        said.birth,
        person.registered ? household.village.code : household.origin,
        household.homeVillage.code,
        household.homeAddress,
        household.homeDwelling,
        grown ? (['01', '01', '02', '09'][number % 4] ?? '09') : '03',
        compactDate(residence.since),
        compactDate(renewed ? county.firstDay + 365 : residence.until),
        grown && number % 5 > 0 ? sourceNumber(county, 'Z', 8, number) : '',
        phoneAfter(said.phone, record, version),
        updatedAt(county, version, residence.since + 1),
      ];
    },
  };
  return record;
}
