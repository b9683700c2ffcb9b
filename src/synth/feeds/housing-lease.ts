import { compactDate, dashedDate } from '../calendar.ts';
import { isUnregisteredTenant } from '../cases.ts';
import type { County } from '../county.ts';
import { phoneAfter, type SynthFeed, type SynthMention, type SynthRecord, saidOf } from '../feed.ts';
import type { Block, Lease } from '../population.ts';
import { type Finding, type Form, write } from '../slips.ts';
import { recordNumber, sourceNumber, updatedAt } from './shared.ts';

const LANDLORD_FORM: Form = {
  number: 8,
  sex: false,
  birth: false,
  phone: 0,
  missingIdNumber: 0.06,
  fifteenDigits: 0.01,
  besideRegister: true,
};
const TENANT_FORM: Form = {
  ...LANDLORD_FORM,
  number: 9,
  phone: 0.7,
  missingIdNumber: 0.05,
  fifteenDigits: 0,
};

/** More than the 31 days of rule MP02; no lease began about a month ago. */
const WELL_OVER_A_MONTH = 40;

/** 房屋租赁备案: the leases of people who live away from where they are registered. */
export const housingLease: SynthFeed = {
  name: 'housing_lease',
  department: 'housing',
  mode: 'incremental',
  format: 'csv',
  delimiter: ',',
  encoding: 'utf8',
  byteOrderMark: false,
  columns: [
    '备案号',
    '房屋编码',
    '房屋地址',
    '区划代码',
    '建筑面积',
    '出租人证件号码',
    '出租人姓名',
    '承租人证件号码',
    '承租人姓名',
    '承租人联系电话',
    '租期起',
    '租期止',
    '居住人数',
    '备案状态',
    '更新时间',
  ],
  *records(block) {
    for (const [position, lease] of block.leases.entries()) {
      yield filing(block, lease, recordNumber(block, position));
    }
  },
};

function filing(block: Block, lease: Lease, number: number): SynthRecord {
  const { county } = block;
  const { household } = lease;
  const key = sourceNumber(county, 'L', 7, number);
  const landlord: SynthMention = {
    role: 'landlord',
    person: lease.landlord,
    writing: write(county, lease.landlord, LANDLORD_FORM, number),
  };
  const tenant: SynthMention = {
    role: 'tenant',
    person: lease.tenant,
    writing: write(county, lease.tenant, TENANT_FORM, number),
  };
  const cases = casesOf(county, lease);
  const record: SynthRecord = {
    key,
    number,
    enters: lease.enters,
    steady: cases.length > 0,
    mentions: [landlord, tenant],
    cases,
    values(version) {
      const owner = saidOf(landlord, version);
      const renter = saidOf(tenant, version);
      const ended = version.changedOn > record.enters && version.chance % 8 === 0;
      return [
        key,
        household.homeDwelling,
        household.homeAddress,
        household.homeVillage.code,
        String(lease.floorArea),
        owner.idNumber,
        owner.name,
        renter.idNumber,
        renter.name,
        phoneAfter(renter.phone, record, version),
        dashedDate(lease.from),
        dashedDate(lease.to),
        String(lease.occupants),
        ended ? '注销' : isInForce(county, lease) ? '有效' : '到期',
        updatedAt(county, version, Math.min(lease.from + 3, county.firstDay - 1)),
      ];
    },
  };
  return record;
}

function isInForce(county: County, { to }: Lease): boolean {
  return to >= county.firstDay;
}

function casesOf(county: County, lease: Lease): Finding[] {
  const cases: Finding[] = [];
  const longEnough = lease.from < county.firstDay - WELL_OVER_A_MONTH;
  if (isUnregisteredTenant(lease.tenant) && longEnough && isInForce(county, lease)) {
    cases.push({ rule: 'MP02', note: 'tenant unregistered' });
  }
  const { death } = lease.landlord;
  if (death?.unregistered === false && isInForce(county, lease)) {
    cases.push({ rule: 'ID07', note: `landlord died ${compactDate(death.day)}` });
  }
  if (lease.floorArea / lease.occupants < 5) {
    cases.push({ rule: 'MP05', note: `${lease.occupants} in ${lease.floorArea} m2` });
  }
  return cases;
}
