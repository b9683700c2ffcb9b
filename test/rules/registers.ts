import { death, type Row } from '../support/drop.ts';
import { residentNumber, WANG } from './situation.ts';

/** 王强 died on this day. */
export function died(on: string, more: Row = {}): Row[] {
  return [death('B', WANG.name, '01 08:00:00', { id_number: WANG.id_number, died_on: on, ...more })];
}

/** 李娜, born on 2 February 1990. */
export const LI = { id_number: residentNumber('19900202', '002'), name: '李娜', birth_date: '19900202' };

/** A child of 李娜, a girl. */
export function birth(key: string, bornOn: string, more: Row = {}): Row {
  return {
    certificate_number: key,
    child_name: '王小雨',
    child_sex: '2',
    child_birth_date: bornOn,
    mother_id_number: LI.id_number,
    mother_name: LI.name,
    mother_birth_date: LI.birth_date,
    issued_on: bornOn,
    updated_at: '2026-11-01 08:00:00',
    ...more,
  };
}

/** 王强's business. */
export function trader(key: string, more: Row = {}): Row {
  return {
    registration_number: key,
    operator_id_number: WANG.id_number,
    operator_name: WANG.name,
    established_on: '20200101',
    status: 'active',
    updated_at: '2026-11-01 08:00:00',
    ...more,
  };
}

/** A child from elsewhere. */
export const CHILD = {
  id_number: residentNumber('20150303', '001', '620102'),
  name: '赵晨',
  sex: '1',
  birth_date: '20150303',
};

/** Its mother, from elsewhere too. */
export const GUARDIAN = {
  id_number: residentNumber('19850505', '002', '620102'),
  name: '赵敏',
  sex: '2',
  birth_date: '19850505',
};

/** The child goes to school here. */
export function pupil(key: string, more: Row = {}): Row {
  return {
    enrolment_number: key,
    ...CHILD,
    school: '实验小学',
    registered_division: '620102001001',
    living_division: '620802001001',
    guardian_name: GUARDIAN.name,
    guardian_id_number: GUARDIAN.id_number,
    ...more,
  };
}

/** What a village reports of 王强. Key: `620802001001|202610|<item>`. */
export function report(item: string, event: string, on: string, more: Row = {}): Row {
  return {
    village: '620802001001',
    report_period: '202610',
    item_number: item,
    name: WANG.name,
    id_number: WANG.id_number,
    sex: WANG.sex,
    birth_date: WANG.birth_date,
    event,
    event_on: on,
    ...more,
  };
}
