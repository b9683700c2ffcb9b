import { civilDate, compactDate, compactMonth, dayNumber } from '../calendar.ts';
import type { County } from '../county.ts';
import { phoneAfter, type SynthFeed, type SynthMention, type SynthRecord, saidOf } from '../feed.ts';
import type { Block, Insurance, Person } from '../population.ts';
import { type Finding, type Form, type Writing, write } from '../slips.ts';
import { recordNumber, sourceNumber } from './shared.ts';

const FORM: Form = {
  number: 7,
  sex: true,
  birth: true,
  phone: 0.7,
  missingIdNumber: 0.004,
  fifteenDigits: 0,
  besideRegister: true,
};

/** More than the six months of rule MP03; nobody from elsewhere is insured for about that long. */
const HALF_A_YEAR = 200;

/** 社会保险参保: a row for each person and kind of insurance. */
export const socialInsurance: SynthFeed = {
  name: 'social_insurance',
  department: 'human-resources',
  mode: 'snapshot',
  format: 'csv',
  delimiter: '|',
  encoding: 'gb18030',
  byteOrderMark: false,
  columns: [
    '个人编号',
    '险种代码',
    '公民身份号码',
    '姓名',
    '性别',
    '出生日期',
    '参保状态',
    '参保日期',
    '单位名称',
    '统一社会信用代码',
    '最近缴费年月',
    '待遇状态',
    '联系电话',
    '参保地区划代码',
  ],
  *records(block) {
    for (const [position, person] of block.persons.entries()) {
      const { insurance } = person;
      if (insurance === undefined) continue;
      const writing = writingOf(block.county, person, insurance);
      for (const kind of insurance.kinds)
        yield insuranceRow(block, person, insurance, kind, position, writing);
      if (insurance.again !== undefined)
        yield insuranceRow(block, person, insurance, insurance.again.kind, position, writing);
    }
  },
};

/** The office knows a person once: all of a person's rows carry the same identity. */
function writingOf(county: County, person: Person, insurance: Insurance): Writing {
  const writing = write(county, person, FORM, person.number);
  const owner = insurance.borrowedFrom;
  if (owner === undefined) return writing;
  const written = { ...writing.written, idNumber: owner.idNumber };
  const findings: Finding[] = [{ rule: 'ID01', note: `number of person ${owner.number}` }];
  if (owner.sex !== person.sex) findings.push({ rule: 'DQ06', note: written.sex });
  if (owner.birth !== person.birth) findings.push({ rule: 'DQ07', note: written.birth });
  return { written, correct: writing.correct, findings };
}

function insuranceRow(
  block: Block,
  person: Person,
  insurance: Insurance,
  kind: Insurance['kinds'][number],
  position: number,
  writing: Writing,
): SynthRecord {
  const { county } = block;
  const number = recordNumber(block, position);
  const insuredNumber = sourceNumber(county, 'S', 8, number);
  const mention: SynthMention = { role: 'subject', person, writing };
  const isPension = kind === '110' || kind === '170';
  const draws = isPension && insurance.drawsPension;
  const again = kind === insurance.again?.kind ? insurance.again : undefined;
  const employer = again === undefined ? insurance.employer : undefined;
  const stoppedOn = stopDay(person, insurance);
  const record: SynthRecord = {
    key: `${insuredNumber}|${kind}`,
    number: number * 1000 + Number(kind),
    enters: person.enters,
    steady: person.exact,
    mentions: [mention],
    cases: casesOf(county, person, insurance, kind),
    values(version) {
      const said = saidOf(mention, version);
      const suspended = version.changedOn > record.enters && version.chance % 12 === 0;
      return [
        insuredNumber,
        kind,
        said.idNumber,
        said.name,
        said.sex,
        said.birth,
        stoppedOn !== undefined ? '3' : suspended ? '2' : '1',
        compactDate(again?.since ?? insurance.since),
        employer?.name ?? '',
        employer?.creditCode ?? '',
        compactMonth(stoppedOn ?? lastPaid(county, insurance)),
        draws ? (stoppedOn === undefined ? '1' : '2') : '0',
        phoneAfter(said.phone, record, version),
        `${county.places.county}000000`,
      ];
    },
  };
  return record;
}

/** Stopped with a death that the first night knows of; later deaths are not stopped yet. */
function stopDay({ death }: Person, { notStopped }: Insurance): number | undefined {
  return death === undefined || death.registeredOnNight > 1 || notStopped ? undefined : death.day;
}

/** The month before the first night, or the month of insurance when that is later. */
function lastPaid(county: County, { since }: Insurance): number {
  const { year, month } = civilDate(county.firstDay);
  return Math.max(since, dayNumber(year, month, 1) - 1);
}

function casesOf(county: County, person: Person, insurance: Insurance, kind: string): Finding[] {
  if (insurance.notStopped && person.death?.unregistered === false) {
    return [{ rule: 'ID05', note: `died ${compactDate(person.death.day)}` }];
  }
  if (kind === insurance.again?.kind) return [{ rule: 'ID15', note: `beside ${insurance.kinds.join(', ')}` }];
  const unregistered = !person.registered && person.residence === undefined;
  // One case a person: the first of the rows anchors it.
  if (unregistered && kind === insurance.kinds[0] && insurance.since < county.firstDay - HALF_A_YEAR) {
    return [{ rule: 'MP03', note: `insured since ${compactDate(insurance.since)}` }];
  }
  return [];
}
