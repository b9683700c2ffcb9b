import { compactDate, compactMonth } from '../calendar.ts';
import { type SynthFeed, type SynthMention, type SynthRecord, saidOf } from '../feed.ts';
import type { Block, Person, VillageEvent } from '../population.ts';
import { type Finding, type Form, write } from '../slips.ts';
import { recordNumber } from './shared.ts';

const FORM: Form = {
  number: 17,
  sex: true,
  birth: true,
  phone: 0,
  missingIdNumber: 0.19,
  fifteenDigits: 0,
  besideRegister: true,
};

/** 村直报: what village officers report by the month, some of it known to no department. */
export const villageReport: SynthFeed = {
  name: 'village_report',
  department: 'villages',
  mode: 'incremental',
  format: 'xlsx',
  delimiter: ',',
  encoding: 'utf8',
  byteOrderMark: false,
  columns: [
    '村代码',
    '村名',
    '报告期',
    '序号',
    '姓名',
    '证件号码',
    '性别',
    '出生日期',
    '事项',
    '事项日期',
    '去往地',
    '填报人',
    '备注',
  ],
  *records(block) {
    const items = new Map<string, number>();
    for (const [position, person] of block.persons.entries()) {
      if (person.reported === undefined) continue;
      const { household, reported } = person;
      const village = household.standing === 'migrant' ? household.homeVillage : household.village;
      const report = `${village.code}|${compactMonth(reported.day)}`;
      const before = items.get(report) ?? 0;
      items.set(report, before + 1);
      // The numbers of a report are dealt to the blocks in turn: none is given twice.
      const item = before * block.county.blocks + block.number + 1;
      yield reportItem(block, person, reported, village, `${report}|${item}`, position);
    }
  },
};

function reportItem(
  block: Block,
  person: Person,
  reported: VillageEvent,
  village: Person['household']['village'],
  key: string,
  position: number,
): SynthRecord {
  const { county } = block;
  const number = recordNumber(block, position);
  const mention: SynthMention = { role: 'subject', person, writing: write(county, person, FORM, number) };
  const [code = '', period = '', item = ''] = key.split('|');
  return {
    key,
    number,
    enters: Math.max(person.enters, person.death?.registeredOnNight ?? 1),
    steady: person.exact,
    mentions: [mention],
    cases: casesOf(person),
    values(version) {
      const said = saidOf(mention, version);
      return [
        code,
        village.name,
        period,
        item,
        said.name,
        said.idNumber,
        said.sex,
        said.birth,
        reported.event,
        compactDate(reported.day),
        reported.destination,
        `${village.name.slice(0, 2)}专干`,
        version.changedOn > 0 ? '已核' : '',
      ];
    },
  };
}

/** Births and deaths that no department has. */
function casesOf({ birthRecord, death }: Person): Finding[] {
  if (death?.unknown) return [{ rule: 'MP10', note: `died ${compactDate(death.day)}` }];
  if (birthRecord?.certified === false) return [{ rule: 'MP10', note: 'birth' }];
  return [];
}
