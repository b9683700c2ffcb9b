import { compactDate, compactMonth } from '../calendar.ts';
import { type SynthFeed, type SynthMention, type SynthRecord, saidOf } from '../feed.ts';
import type { Block, Household, Person } from '../population.ts';
import { mix } from '../random.ts';
import { type Form, write } from '../slips.ts';
import { recordNumber, sourceNumber } from './shared.ts';

const FORM: Form = {
  number: 6,
  sex: true,
  birth: false,
  phone: 0,
  missingIdNumber: 0.01,
  fifteenDigits: 0,
  besideRegister: true,
};

/** 最低生活保障: supported households, a row for each member. */
export const subsistenceAllowance: SynthFeed = {
  name: 'subsistence_allowance',
  department: 'civil-affairs',
  mode: 'snapshot',
  format: 'xlsx',
  delimiter: ',',
  encoding: 'utf8',
  byteOrderMark: false,
  columns: [
    '低保证号',
    '成员序号',
    '证件号码',
    '姓名',
    '性别',
    '与户主关系',
    '保障类型',
    '月保障金额',
    '起始年月',
    '家庭住址',
    '区划代码',
  ],
  *records(block) {
    for (const [position, household] of block.households.entries()) {
      const since = household.allowanceSince;
      if (since === undefined) continue;
      for (const [index, person] of household.members.filter(isSupported).entries()) {
        yield support(block, household, since, person, position, index);
      }
    }
  },
};

function isSupported({ death, livesHere, registered, enters }: Person): boolean {
  return livesHere && registered && enters === 1 && (death === undefined || death.stillSupported);
}

function support(
  block: Block,
  household: Household,
  since: number,
  person: Person,
  position: number,
  index: number,
): SynthRecord {
  const { county } = block;
  const number = recordNumber(block, position);
  const certificate = sourceNumber(county, 'A', 6, number);
  const mention: SynthMention = { role: 'subject', person, writing: write(county, person, FORM, number) };
  const amount = 280 + (mix(county.seed, 302, number) % 400);
  return {
    key: `${certificate}|${index + 1}`,
    number: number * 16 + index,
    enters: 1,
    steady: person.exact,
    mentions: [mention],
    cases:
      person.death?.stillSupported && !person.death.unregistered
        ? [{ rule: 'ID06', note: `died ${compactDate(person.death.day)}` }]
        : [],
    values(version) {
      const said = saidOf(mention, version);
      return [
        certificate,
        String(index + 1),
        said.idNumber,
        said.name,
        said.sex,
        person.relation,
        household.village.urban ? '城市' : '农村',
        String(version.changedOn > 0 ? amount + 10 + version.changedOn : amount),
        compactMonth(Math.max(since, person.birth)),
        household.address,
        household.village.code,
      ];
    },
  };
}
