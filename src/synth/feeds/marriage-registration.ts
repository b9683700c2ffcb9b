import { civilDate, dashed, dashedDate } from '../calendar.ts';
import { KEYS_IN_BLOCK } from '../county.ts';
import { type SynthFeed, type SynthMention, type SynthRecord, saidOf } from '../feed.ts';
import type { Block, Marriage, Person } from '../population.ts';
import { type Form, write } from '../slips.ts';
import { recordNumber, updatedAt } from './shared.ts';

/** 婚姻登记: marriages since 1990 and divorces; the old ones with numbers of fifteen digits, or none. */
export const marriageRegistration: SynthFeed = {
  name: 'marriage_registration',
  department: 'civil-affairs',
  mode: 'incremental',
  format: 'csv',
  delimiter: ',',
  encoding: 'utf8',
  byteOrderMark: true,
  columns: [
    '登记证号',
    '业务类型',
    '登记日期',
    '男方证件号码',
    '男方姓名',
    '男方出生日期',
    '女方证件号码',
    '女方姓名',
    '女方出生日期',
    '登记机关',
    '更新时间',
  ],
  *records(block) {
    for (const [position, marriage] of block.marriages.entries()) {
      yield event(block, marriage, 'M', '结婚', marriage.day, recordNumber(block, position));
      if (marriage.divorcedOn === undefined) continue;
      const number = recordNumber(block, position + KEYS_IN_BLOCK / 2);
      yield event(block, marriage, 'D', '离婚', marriage.divorcedOn, number);
    }
  },
};

function event(
  block: Block,
  marriage: Marriage,
  letter: string,
  kind: '结婚' | '离婚',
  day: number,
  number: number,
): SynthRecord {
  const { county } = block;
  const { year } = civilDate(day);
  const key = `${letter}${county.places.county}${year}${String(number).padStart(6, '0')}`;
  const mention = (role: string, person: Person, formNumber: number): SynthMention => ({
    role,
    person,
    writing: write(county, person, formOf(formNumber, year), number),
  });
  const husband = mention('husband', marriage.husband, 3);
  const wife = mention('wife', marriage.wife, 4);
  return {
    key,
    number,
    enters: marriage.enters,
    steady: marriage.husband.exact && marriage.wife.exact,
    mentions: [husband, wife],
    cases: marriage.overlaps === undefined ? [] : [{ rule: 'ID10', note: `person ${marriage.overlaps}` }],
    values(version) {
      const man = saidOf(husband, version);
      const woman = saidOf(wife, version);
      return [
        key,
        kind,
        dashedDate(day),
        man.idNumber,
        man.name,
        dashed(man.birth),
        woman.idNumber,
        woman.name,
        dashed(woman.birth),
        `${county.places.countyName}民政局婚姻登记处`,
        updatedAt(county, version, day + 1),
      ];
    },
  };
}

function formOf(number: number, year: number): Form {
  return {
    number,
    sex: false,
    birth: true,
    phone: 0,
    missingIdNumber: year < 2000 ? 0.06 : 0.01,
    fifteenDigits: year < 2005 ? 0.28 : 0,
    besideRegister: true,
  };
}
