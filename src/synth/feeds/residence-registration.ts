import { compactDate } from '../calendar.ts';
import { KEYS_IN_BLOCK } from '../county.ts';
import { phoneAfter, type SynthFeed, type SynthMention, type SynthRecord, saidOf } from '../feed.ts';
import { ageOf, type Block, type Household, type Person } from '../population.ts';
import { type Finding, type Form, write } from '../slips.ts';
import { recordNumber, registeredDivision, sourceNumber, updatedAt } from './shared.ts';

const FORM: Form = {
  number: 2,
  sex: true,
  birth: true,
  phone: 0.7,
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
      const { household, residence, secondResidence } = person;
      if (residence === undefined) continue;
      yield registration(block, person, residence, homeOf(household), position);
      if (secondResidence === undefined) continue;
      const { village, address } = secondResidence;
      const secondHome = { village: village.code, address, dwelling: '' };
      yield registration(block, person, secondResidence, secondHome, position + KEYS_IN_BLOCK / 2);
    }
  },
};

interface Home {
  village: string;
  address: string;
  dwelling: string;
}

function homeOf({ homeVillage, homeAddress, homeDwelling }: Household): Home {
  return { village: homeVillage.code, address: homeAddress, dwelling: homeDwelling };
}

function registration(
  block: Block,
  person: Person,
  residence: NonNullable<Person['residence']>,
  home: Home,
  position: number,
): SynthRecord {
  const { county } = block;
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
    cases: casesOf(person, residence, home, expired),
    values(version) {
      const said = saidOf(mention, version);
      const renewed = expired && version.changedOn > 0;
      return [
        key,
        said.idNumber,
        said.name,
        said.sex,
        said.birth,
        registeredDivision(person),
        home.village,
        home.address,
        home.dwelling,
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

function casesOf(
  person: Person,
  residence: NonNullable<Person['residence']>,
  home: Home,
  expired: boolean,
): Finding[] {
  const { household, secondResidence } = person;
  const cases = casesOfTime(person, residence, expired);
  const isFirst = residence === person.residence;
  if (secondResidence !== undefined) {
    cases.push(
      isFirst ? { rule: 'MP08', note: 'registered elsewhere since' } : { rule: 'MP06', note: 'two homes' },
    );
  }
  if (household.unknownDwelling && isFirst) cases.push({ rule: 'MP12', note: home.dwelling });
  if (household.abolishedOrigin) cases.push({ rule: 'DQ16', note: household.origin });
  return cases;
}

function casesOfTime(
  { registered, insurance, reported }: Person,
  residence: NonNullable<Person['residence']>,
  expired: boolean,
): Finding[] {
  if (expired && !registered && insurance !== undefined) {
    return [{ rule: 'MP01', note: `expired ${compactDate(residence.until)}` }];
  }
  if (!expired && reported?.event === '外出') {
    return [{ rule: 'MP08', note: `left ${compactDate(reported.day)}` }];
  }
  return [];
}
