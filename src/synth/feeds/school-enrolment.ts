import { guardianOf } from '../families.ts';
import { phoneAfter, type SynthFeed, type SynthMention, type SynthRecord, saidOf } from '../feed.ts';
import { ageOf, type Block, type Person } from '../population.ts';
import { isPupil, isUnregisteredPupil } from '../schooling.ts';
import { type Finding, type Form, write } from '../slips.ts';
import { recordNumber, registeredDivision } from './shared.ts';

const PUPIL_FORM: Form = {
  number: 14,
  sex: true,
  birth: true,
  phone: 0,
  missingIdNumber: 0.011,
  fifteenDigits: 0,
  besideRegister: true,
};
const GUARDIAN_FORM: Form = {
  ...PUPIL_FORM,
  number: 15,
  sex: false,
  birth: false,
  phone: 0.92,
  missingIdNumber: 0.11,
};

/** 学籍: pupils of all twelve grades, each with a guardian. */
export const schoolEnrolment: SynthFeed = {
  name: 'school_enrolment',
  department: 'education',
  mode: 'snapshot',
  format: 'xlsx',
  delimiter: ',',
  encoding: 'utf8',
  byteOrderMark: false,
  columns: [
    '学籍号',
    '证件号码',
    '姓名',
    '性别',
    '出生日期',
    '学校名称',
    '年级',
    '户籍地区划代码',
    '现住地区划代码',
    '监护人姓名',
    '监护人证件号码',
    '监护人联系电话',
  ],
  *records(block) {
    for (const [position, person] of block.persons.entries()) {
      if (isPupil(block.county, person)) yield enrolment(block, person, position);
    }
  },
};

function enrolment(block: Block, person: Person, position: number): SynthRecord {
  const { county } = block;
  const { homeVillage } = person.household;
  const number = recordNumber(block, position);
  // The number that a pupil has for life begins like the citizen's number.
  const key = `G${person.idNumber.slice(0, 6)}${String(number).padStart(9, '0')}`;
  const guardian = guardianOf(person);
  const pupil: SynthMention = { role: 'subject', person, writing: write(county, person, PUPIL_FORM, number) };
  const answers: SynthMention = {
    role: 'guardian',
    person: guardian,
    writing: write(county, guardian, GUARDIAN_FORM, number),
  };
  const grade = Math.max(1, Math.floor(ageOf(county, person)) - 5);
  const record: SynthRecord = {
    key,
    number,
    enters: Math.max(person.enters, guardian.enters),
    steady: person.exact,
    mentions: [pupil, answers],
    cases: casesOf(person),
    values(version) {
      const said = saidOf(pupil, version);
      const saidOfGuardian = saidOf(answers, version);
      return [
        key,
        said.idNumber,
        said.name,
        said.sex,
        said.birth,
        `${homeVillage.town}${schoolOf(grade)}`,
        String(grade),
        registeredDivision(person),
        homeVillage.code,
        saidOfGuardian.name,
        saidOfGuardian.idNumber,
        phoneAfter(saidOfGuardian.phone, record, version),
      ];
    },
  };
  return record;
}

function casesOf(person: Person): Finding[] {
  const { abolishedOrigin, origin } = person.household;
  return [
    ...(isUnregisteredPupil(person) ? [{ rule: 'MP04', note: 'pupil and guardian unregistered' }] : []),
    ...(abolishedOrigin ? [{ rule: 'DQ16', note: origin }] : []),
  ];
}

function schoolOf(grade: number): string {
  if (grade <= 6) return '中心小学';
  return grade <= 9 ? '初级中学' : '高级中学';
}
