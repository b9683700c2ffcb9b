import { compactDate, dashedDate } from '../calendar.ts';
import { type SynthFeed, type SynthMention, type SynthRecord, saidOf } from '../feed.ts';
import type { Block, Person, Trade } from '../population.ts';
import { type Form, write } from '../slips.ts';
import { recordNumber, updatedAt } from './shared.ts';

const FORM: Form = {
  number: 16,
  sex: false,
  birth: false,
  phone: 0,
  missingIdNumber: 0.013,
  fifteenDigits: 0,
  besideRegister: true,
};

const TRADES = ['理发店', '便利店', '五金店', '水果店', '面馆'];

/** 个体工商户: shops under their owners' surnames, most of them where the owner lives. */
export const soleTrader: SynthFeed = {
  name: 'sole_trader',
  department: 'market-supervision',
  mode: 'incremental',
  format: 'jsonl',
  delimiter: ',',
  encoding: 'utf8',
  byteOrderMark: false,
  columns: [
    'registration_no',
    'operator_id_number',
    'operator_name',
    'trade_name',
    'premises',
    'division',
    'established_on',
    'status',
    'updated_at',
  ],
  *records(block) {
    for (const [position, person] of block.persons.entries()) {
      if (person.trade !== undefined) yield business(block, person, person.trade, position);
    }
  },
};

function business(block: Block, person: Person, trade: Trade, position: number): SynthRecord {
  const { county } = block;
  const { county: code, countyName } = county.places;
  const { household, death } = person;
  const number = recordNumber(block, position);
  const key = `92${code}${String(number).padStart(9, '0')}K`;
  const mention: SynthMention = { role: 'operator', person, writing: write(county, person, FORM, number) };
  const record: SynthRecord = {
    key,
    number,
    enters: 1,
    steady: person.exact,
    mentions: [mention],
    cases:
      death !== undefined && !death.unregistered && !trade.cancelled
        ? [{ rule: 'ID16', note: `died ${compactDate(death.day)}` }]
        : [],
    values(version) {
      const said = saidOf(mention, version);
      const ended = trade.cancelled || (version.changedOn > record.enters && version.chance % 8 === 0);
      return [
        key,
        said.idNumber,
        said.name,
        `${countyName}${person.surname}记${TRADES[number % TRADES.length]}`,
        household.homeAddress,
        household.homeVillage.code,
        dashedDate(trade.since),
        ended ? 'cancelled' : 'active',
        `${updatedAt(county, version, trade.since + (number % 40)).replace(' ', 'T')}.000Z`,
      ];
    },
  };
  return record;
}
