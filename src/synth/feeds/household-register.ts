import { compactDate } from '../calendar.ts';
import { type County, KEYS_IN_BLOCK } from '../county.ts';
import {
  phoneAfter,
  type SynthFeed,
  type SynthMention,
  type SynthRecord,
  saidOf,
  type Version,
} from '../feed.ts';
import { ageOf, type Block, type Person } from '../population.ts';
import { type Finding, REGISTER_FORM, write } from '../slips.ts';
import { dayBefore, recordNumber, sourceNumber, updatedAt } from './shared.ts';

/** 户籍登记: everyone registered in the county, dead or alive, home or away. */
export const householdRegister: SynthFeed = {
  name: 'household_register',
  department: 'public-security',
  mode: 'snapshot',
  format: 'csv',
  delimiter: ',',
  encoding: 'gb18030',
  byteOrderMark: false,
  columns: [
    '人员编号',
    '公民身份号码',
    '姓名',
    '曾用名',
    '性别',
    '出生日期',
    '户籍地区划代码',
    '户籍地址',
    '户号',
    '与户主关系',
    '婚姻状况',
    '户口状态',
    '迁入日期',
    '注销日期',
    '联系电话',
    '更新时间',
  ],
  *records(block) {
    for (const [position, person] of block.persons.entries()) {
      if (!person.registered) continue;
      yield registration(block, person, position);
      if (person.second !== undefined) yield secondRegistration(block, person, person.second, position);
    }
  },
};

function registration(block: Block, person: Person, position: number): SynthRecord {
  const { county } = block;
  const { death, household } = person;
  const number = recordNumber(block, position);
  const key = sourceNumber(county, 'H', 8, number);
  const mention: SynthMention = {
    role: 'subject',
    person,
    writing: write(county, person, REGISTER_FORM, person.number),
  };
  const cancelled = death === undefined || death.notCancelled ? undefined : death;
  const cancelledOn =
    cancelled === undefined
      ? 0
      : Math.min(cancelled.day + 1 + (number % 20), county.firstDay + cancelled.registeredOnNight - 2);
  const record: SynthRecord = {
    key,
    number,
    enters: person.enters,
    // People who live elsewhere give no sign of life.
    steady: person.exact || !person.livesHere,
    mentions: [mention],
    cases: casesOf(county, person),
    values(version) {
      const said = saidOf(mention, version);
      const isCancelled = cancelled !== undefined && cancelled.registeredOnNight <= version.night;
      const registeredOn = Math.max(person.birth, dayBefore(county, number, 900));
      return [
        key,
        said.idNumber,
        said.name,
        '',
        said.sex,
        said.birth,
        household.village.code,
        household.address,
        String(household.number).padStart(9, '0'),
        person.relation,
        person.registeredSingle ? '10' : person.marital,
        isCancelled ? '3' : '1',
        '',
        isCancelled ? compactDate(cancelledOn) : '',
        phoneAfter(person.second === undefined ? said.phone : person.phone, record, version),
        updatedAt(county, version, isCancelled ? cancelledOn : registeredOn),
      ];
    },
  };
  if (cancelled !== undefined && cancelled.registeredOnNight > 1)
    record.eventOn = cancelled.registeredOnNight;
  return record;
}

function casesOf(county: County, person: Person): Finding[] {
  const { death } = person;
  if (person.registeredSingle) return [{ rule: 'ID11', note: 'married' }];
  if (death?.unknown && ageOf(county, person) > 116)
    return [{ rule: 'DQ13', note: `born ${compactDate(person.birth)}` }];
  if (death === undefined || death.unknown) return [];
  const note = `died ${compactDate(death.day)}`;
  if (death.notCancelled) return [{ rule: 'ID08', note }];
  return death.unregistered ? [{ rule: 'ID09', note }] : [];
}

/** The same person once more, in another village, under another number, with the same telephone. */
function secondRegistration(
  block: Block,
  person: Person,
  second: NonNullable<Person['second']>,
  position: number,
): SynthRecord {
  const { county } = block;
  const number = recordNumber(block, position + KEYS_IN_BLOCK / 2);
  const key = sourceNumber(county, 'H', 8, number);
  const { correct } = write(county, person, REGISTER_FORM, person.number);
  const written = { ...correct, idNumber: second.idNumber, phone: person.phone };
  const first = sourceNumber(county, 'H', 8, recordNumber(block, position));
  return {
    key,
    number,
    enters: 1,
    steady: true,
    mentions: [{ role: 'subject', person, writing: { written, correct: written, findings: [] } }],
    cases: [{ rule: 'ID02', note: first }],
    values: (version: Version) => [
      key,
      written.idNumber,
      written.name,
      '',
      written.sex,
      written.birth,
      second.village.code,
      second.address,
      String(number).padStart(9, '0'),
      '02',
      person.marital,
      '1',
      compactDate(dayBefore(county, number, 60)),
      '',
      written.phone,
      updatedAt(county, version, dayBefore(county, number, 60)),
    ],
  };
}
