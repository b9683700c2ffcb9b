import { expect } from 'vitest';
import { loadRules } from '../../src/anomalies/rule-file.ts';
import { checkDigit } from '../../src/schema/standards/identity-number.ts';
import { type Row, useCounty } from '../support/drop.ts';

/** The business date of a night in these tests. */
export const TONIGHT = '2026-11-18';
export const TOMORROW = '2026-11-19';

/** What a case says, for comparisons in tests. */
interface Case {
  readonly anchor: string;
  readonly subject: string;
  readonly person_id: number | null;
  readonly evidence: Readonly<Record<string, unknown>>;
}

const shipped = await loadRules('config/rules');

/** A county whose nights run the rules under test alone. */
export function useRules() {
  const county = useCounty('ingest', 'identity', 'population', 'detect');

  /** The nights that follow run these rules. */
  async function run(...codes: string[]): Promise<void> {
    county.rules = shipped.filter(({ rule }) => codes.includes(rule));
    expect(county.rules.map(({ rule }) => rule)).toEqual(codes);
  }

  /** Delivers rows of some feeds, runs the night for these, and says which records have open cases of the rule. */
  async function night(
    rule: string,
    rows: Readonly<Record<string, Row[]>>,
    date = TONIGHT,
  ): Promise<string[]> {
    if (!county.rules.some((running) => running.rule === rule)) await run(rule);
    for (const [feed, given] of Object.entries(rows)) await county.deliver(feed, date, given);
    const report = await county.night(date, Object.keys(rows));
    expect(report.status).toBe('done');
    return (await openCases(rule)).map(({ anchor }) => anchor);
  }

  /** The open cases of a rule, by anchor: the feed, the key and the role of the record that an officer opens. */
  async function openCases(rule: string): Promise<Case[]> {
    return county.query<Case>(
      `SELECT concat_ws(' ', feed, source_key, role) AS anchor, subject, person_id, evidence FROM anomalies.anomaly
       WHERE rule = $1 AND status NOT IN ('resolved', 'dismissed') ORDER BY anchor, subject`,
      [rule],
    );
  }

  return { county, run, night, openCases };
}

/**
 * A valid 18-character number: a district, a birth date, and a sequence number whose last digit is odd for men.
 *
 * @param birth YYYYMMDD
 * @param sequence three digits
 */
export function residentNumber(birth = '19800101', sequence = '001', area = '620802'): string {
  const first17 = `${area}${birth}${sequence}`;
  return first17 + checkDigit(first17);
}

/** 王强, born on 1 January 1980, as the identity fields of most feeds. */
export const WANG = { id_number: residentNumber(), name: '王强', sex: '1', birth_date: '19800101' };

export function register(key: string, more: Row = {}): Row {
  return {
    person_number: key,
    ...WANG,
    registered_division: '620802001001',
    household_number: `H${key}`,
    status: '1',
    updated_at: '2026-11-01 08:00:00',
    ...more,
  };
}

/** Key: `<number>|110` unless the kind is given. */
export function insurance(number: string, more: Row = {}): Row {
  return {
    insured_number: number,
    insurance_kind: '110',
    ...WANG,
    status: '1',
    insured_since: '20200101',
    insured_division: '620802000000',
    ...more,
  };
}

export function residence(key: string, more: Row = {}): Row {
  return {
    registration_number: key,
    ...WANG,
    living_division: '620802001001',
    living_address: '崆峒区东大街1号',
    registered_on: '20240101',
    valid_until: '20271231',
    updated_at: '2026-11-01 08:00:00',
    ...more,
  };
}

export function lease(key: string, more: Row = {}): Row {
  return {
    filing_number: key,
    dwelling_code: `F${key}`,
    dwelling_address: '崆峒区东大街1号',
    division: '620802001001',
    landlord_name: '李娜',
    tenant_id_number: WANG.id_number,
    tenant_name: WANG.name,
    starts_on: '20260101',
    ends_on: '20271231',
    status: '有效',
    updated_at: '2026-11-01 08:00:00',
    ...more,
  };
}

/** 李娜's title to a dwelling. */
export function title(key: string, more: Row = {}): Row {
  return {
    title_number: key,
    dwelling_code: `F${key}`,
    dwelling_address: '崆峒区东大街1号',
    division: '620802001001',
    owner_name: '李娜',
    registered_on: '20200101',
    ...more,
  };
}

/** Key: `<number>|1`. */
export function allowance(number: string, more: Row = {}): Row {
  return {
    allowance_number: number,
    member_number: '1',
    id_number: WANG.id_number,
    name: WANG.name,
    monthly_amount: '500',
    ...more,
  };
}

/** 王强 marries, or divorces, a wife who is given by her name and number. */
export function marriage(
  key: string,
  registeredOn: string,
  wife: { name: string; id: string },
  event = '结婚',
): Row {
  return {
    certificate_number: key,
    event,
    registered_on: registeredOn,
    husband_id_number: WANG.id_number,
    husband_name: WANG.name,
    wife_id_number: wife.id,
    wife_name: wife.name,
    updated_at: '2026-11-01 08:00:00',
  };
}
