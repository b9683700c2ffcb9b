import { dashedDate, dayNumber } from '../calendar.ts';
import { KEYS_IN_BLOCK } from '../county.ts';
import { type SynthFeed, type SynthMention, type SynthRecord, saidOf } from '../feed.ts';
import type { Block, Household, Lease, Person } from '../population.ts';
import { mix } from '../random.ts';
import { type Form, write } from '../slips.ts';
import { recordNumber, sourceNumber } from './shared.ts';

/** 不动产权登记: homes whose owner is registered in them, and dwellings that are let. */
export const housingOwnership: SynthFeed = {
  name: 'housing_ownership',
  department: 'housing',
  mode: 'snapshot',
  format: 'csv',
  delimiter: ',',
  encoding: 'utf8',
  byteOrderMark: false,
  columns: [
    '不动产权证号',
    '房屋编码',
    '房屋地址',
    '区划代码',
    '建筑面积',
    '权利人证件号码',
    '权利人姓名',
    '登记日期',
    '房屋状态',
  ],
  *records(block) {
    for (const [position, household] of block.households.entries()) {
      if (household.owner === undefined) continue;
      yield title(block, household.owner, registeredHome(block, household), recordNumber(block, position));
    }
    for (const [position, lease] of block.leases.entries()) {
      if (!lease.landlordOwns) continue;
      yield title(block, lease.landlord, letHome(lease), recordNumber(block, position + KEYS_IN_BLOCK / 2));
    }
  },
};

interface Dwelling {
  code: string;
  address: string;
  village: string;
  floorArea: number;
}

function registeredHome({ county }: Block, household: Household): Dwelling {
  return {
    code: `${county.places.county}F${String(household.number).padStart(8, '0')}`,
    address: household.address,
    village: household.village.code,
    floorArea: 50 + (mix(county.seed, 303, household.number) % 100),
  };
}

function letHome({ household, floorArea }: Lease): Dwelling {
  return {
    code: household.homeDwelling,
    address: household.homeAddress,
    village: household.homeVillage.code,
    floorArea,
  };
}

function title(block: Block, owner: Person, dwelling: Dwelling, number: number): SynthRecord {
  const { county } = block;
  const key = sourceNumber(county, 'Q', 7, number);
  const earliest = Math.max(owner.birth + 20 * 366, dayNumber(1998, 1, 1));
  const latest = county.firstDay - 100;
  const day = earliest + (mix(county.seed, 304, number) % Math.max(1, latest - earliest));
  const mention: SynthMention = {
    role: 'owner',
    person: owner,
    writing: write(county, owner, formOf(day), number),
  };
  return {
    key,
    number,
    enters: owner.enters,
    steady: owner.exact,
    mentions: [mention],
    cases: [],
    values(version) {
      const said = saidOf(mention, version);
      return [
        key,
        dwelling.code,
        dwelling.address,
        dwelling.village,
        String(dwelling.floorArea),
        said.idNumber,
        said.name,
        dashedDate(day),
        version.changedOn > 0 ? '2' : '1',
      ];
    },
  };
}

function formOf(day: number): Form {
  return {
    number: 10,
    sex: false,
    birth: false,
    phone: 0,
    missingIdNumber: 0.02,
    fifteenDigits: day < dayNumber(2006, 1, 1) ? 0.18 : 0,
    besideRegister: true,
  };
}
