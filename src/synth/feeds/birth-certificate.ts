import { compactDate } from '../calendar.ts';
import { type SynthFeed, type SynthMention, type SynthRecord, saidOf } from '../feed.ts';
import type { BirthRecord, Block, Person } from '../population.ts';
import { mix } from '../random.ts';
import { type Finding, type Form, write } from '../slips.ts';
import { recordNumber, registeredDivision, sourceNumber, updatedAt } from './shared.ts';

/** No number, hence no slips: the hospital writes down what it sees. */
const CHILD_FORM: Form = {
  number: 11,
  sex: true,
  birth: true,
  phone: 0,
  missingIdNumber: 1,
  fifteenDigits: 0,
  besideRegister: true,
};
const MOTHER_FORM: Form = { ...CHILD_FORM, number: 12, sex: false, missingIdNumber: 0.005 };
const FATHER_FORM: Form = { ...CHILD_FORM, number: 13, sex: false, birth: false, missingIdNumber: 0.01 };

const HOSPITALS = ['人民医院', '中医院', '妇幼保健院'];

/** Births of one mother this many days apart are too close (rule ID13), and no twins. */
const TOO_CLOSE = { from: 10, to: 170 };

/** 出生医学证明: the births of two years, of natives, and of people from elsewhere since they came. */
export const birthCertificate: SynthFeed = {
  name: 'birth_certificate',
  department: 'health',
  mode: 'incremental',
  format: 'csv',
  delimiter: ',',
  encoding: 'gb18030',
  byteOrderMark: false,
  columns: [
    '出生证编号',
    '新生儿姓名',
    '新生儿性别',
    '出生日期',
    '母亲证件号码',
    '母亲姓名',
    '母亲出生日期',
    '父亲证件号码',
    '父亲姓名',
    '母亲户籍地区划代码',
    '母亲现住地区划代码',
    '接生机构',
    '签发日期',
    '更新时间',
  ],
  *records(block) {
    for (const [position, person] of block.persons.entries()) {
      const { birthRecord } = person;
      if (birthRecord?.certified) yield certificate(block, person, birthRecord, position);
    }
  },
};

function certificate(block: Block, person: Person, birth: BirthRecord, position: number): SynthRecord {
  const { county } = block;
  const { household } = person;
  const number = recordNumber(block, position);
  const key = sourceNumber(county, 'C', 7, number);
  const mention = (role: string, named: Person, form: Form): SynthMention => ({
    role,
    person: named,
    writing: write(county, named, form, number),
  });
  const child = mention('child', person, CHILD_FORM);
  const mother = mention('mother', birth.mother, MOTHER_FORM);
  const father = birth.father === undefined ? undefined : mention('father', birth.father, FATHER_FORM);
  const eve = county.firstDay + person.enters - 2;
  const issued = Math.min(person.birth + 1 + (mix(county.seed, 306, number) % 20), eve);
  return {
    key,
    number,
    enters: person.enters,
    steady: person.exact,
    mentions: father === undefined ? [child, mother] : [child, mother, father],
    cases: casesOf(person, birth),
    values(version) {
      const saidOfChild = saidOf(child, version);
      const saidOfMother = saidOf(mother, version);
      const saidOfFather = father === undefined ? undefined : saidOf(father, version);
      return [
        key,
        birth.named ? saidOfChild.name : '',
        saidOfChild.sex,
        saidOfChild.birth,
        saidOfMother.idNumber,
        saidOfMother.name,
        saidOfMother.birth,
        saidOfFather?.idNumber ?? '',
        saidOfFather?.name ?? '',
        registeredDivision(birth.mother),
        household.homeVillage.code,
        county.places.countyName + HOSPITALS[number % HOSPITALS.length],
        compactDate(issued),
        updatedAt(county, version, Math.min(issued + (number % 20), eve)),
      ];
    },
  };
}

function casesOf(child: Person, birth: BirthRecord): Finding[] {
  const cases: Finding[] = [];
  const { abolishedOrigin, origin } = child.household;
  if (abolishedOrigin) cases.push({ rule: 'DQ16', note: origin });
  if (!child.registered && child.household.standing !== 'migrant') {
    cases.push({ rule: 'ID12', note: `born ${compactDate(child.birth)}` });
  }
  const justBefore = child.household.members.find(({ birth: day, birthRecord }) => {
    const apart = child.birth - day;
    const sameMother = birthRecord?.certified && birthRecord.mother === birth.mother;
    return sameMother && apart >= TOO_CLOSE.from && apart <= TOO_CLOSE.to;
  });
  if (birth.underGrandmother || justBefore !== undefined) {
    cases.push({ rule: 'ID13', note: birth.underGrandmother ? 'mother too old' : 'births too close' });
  }
  return cases;
}
