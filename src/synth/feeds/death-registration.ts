import { compactDate } from '../calendar.ts';
import { type SynthFeed, type SynthMention, type SynthRecord, saidOf } from '../feed.ts';
import type { Block, Death, Person } from '../population.ts';
import { type Form, write } from '../slips.ts';
import { recordNumber, sourceNumber, updatedAt } from './shared.ts';

const FORM: Form = {
  number: 5,
  sex: true,
  birth: true,
  phone: 0,
  missingIdNumber: 0.025,
  fifteenDigits: 0,
  besideRegister: true,
};

/** 殡葬火化登记: the deaths of four and a half years. */
export const deathRegistration: SynthFeed = {
  name: 'death_registration',
  department: 'civil-affairs',
  mode: 'incremental',
  format: 'csv',
  delimiter: ',',
  encoding: 'gb18030',
  byteOrderMark: false,
  columns: [
    '火化编号',
    '证件号码',
    '姓名',
    '性别',
    '出生日期',
    '死亡日期',
    '火化日期',
    '生前住址',
    '更新时间',
  ],
  *records(block) {
    for (const [position, person] of block.persons.entries()) {
      if (person.death?.unregistered === false) yield registration(block, person, person.death, position);
    }
  },
};

function registration(block: Block, person: Person, death: Death, position: number): SynthRecord {
  const { county } = block;
  const number = recordNumber(block, position);
  const key = sourceNumber(county, 'B', 7, number);
  const mention: SynthMention = { role: 'subject', person, writing: write(county, person, FORM, number) };
  const eve = county.firstDay + death.registeredOnNight - 2;
  const cremated = Math.min(death.day + 1 + (number % 4), eve);
  return {
    key,
    number,
    enters: death.registeredOnNight,
    steady: person.exact,
    mentions: [mention],
    cases: death.misdated ? [{ rule: 'DQ15', note: `died ${compactDate(death.day)}` }] : [],
    values(version) {
      const said = saidOf(mention, version);
      return [
        key,
        said.idNumber,
        said.name,
        said.sex,
        said.birth,
        death.misdated ? `19${compactDate(death.day).slice(2)}` : compactDate(death.day),
        compactDate(cremated),
        person.household.address,
        updatedAt(county, version, Math.min(cremated + 2, eve)),
      ];
    },
  };
}
