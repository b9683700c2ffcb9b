import { expect, test } from 'vitest';
import { loadAreaCodes } from '../../src/schema/standards/divisions.ts';
import { parseIdNumber } from '../../src/schema/standards/identity-number.ts';
import { FEEDS, invent, readDelivery, type SentRecord, table } from './county.ts';

/** The rules across departments, by the letter of the anomaly catalogue, on the truth of an invented county. */
const TODAY = '2026-11-18';
const out = await invent({ persons: 15_000, nights: 1, seed: 8 });
const records = new Map<string, Map<string, SentRecord>>();
for (const feed of FEEDS) records.set(feed, (await readDelivery(out, feed, '20261118')).records);
const planted = await table(out, 'planted.tsv');

const currentCounties = new Set(
  loadAreaCodes()
    .filter(({ toYear }) => toYear === null)
    .map(({ code }) => code),
);

interface Naming {
  feed: string;
  key: string;
  role: string;
  person: string;
  record: SentRecord;
}
const namings: Naming[] = (await table(out, 'truth.tsv')).map(
  ([feed = '', key = '', role = '', person = '']) => ({
    feed,
    key,
    role,
    person,
    record: records.get(feed)?.get(key) ?? {},
  }),
);
const byPerson = Map.groupBy(namings, ({ person }) => person);
const byRecord = Map.groupBy(namings, ({ feed, key }) => `${feed} ${key}`);

function recordsOf(person: string, feed: string): SentRecord[] {
  return (byPerson.get(person) ?? []).filter((naming) => naming.feed === feed).map(({ record }) => record);
}
function personIn(feed: string, key: string, role: string): string {
  return byRecord.get(`${feed} ${key}`)?.find((naming) => naming.role === role)?.person ?? '';
}
function isLocal(person: string): boolean {
  return recordsOf(person, 'household_register').some(({ status }) => status === '1');
}
function hasResidenceRegistration(person: string): boolean {
  return recordsOf(person, 'residence_registration').length > 0;
}
function isInsured(person: string): boolean {
  return recordsOf(person, 'social_insurance').some(({ status }) => status === '1');
}
function diedBefore(person: string, days: number): boolean {
  return recordsOf(person, 'death_registration').some(({ died_on }) => daysUntilToday(died_on) > days);
}
function daysUntilToday(date: string | null | undefined): number {
  return (Date.parse(TODAY) - Date.parse(date ?? '')) / 86_400_000;
}

/** Whether a record, of the named person in the named role, is a case of the rule. */
const HOLDS: Readonly<Record<string, (naming: Naming) => boolean>> = {
  ID02: ({ person }) => {
    const entries = recordsOf(person, 'household_register');
    const same = (field: string) => new Set(entries.map((entry) => entry[field])).size === 1;
    const numbers = entries.map(({ id_number }) => parseIdNumber(id_number ?? null));
    return (
      entries.length === 2 &&
      numbers.every(({ kind }) => kind === 'resident') &&
      !same('id_number') &&
      ['name', 'sex', 'birth_date', 'phone', 'status'].every(same) &&
      entries[0]?.['status'] === '1' &&
      entries[0]['phone'] !== null
    );
  },
  DQ13: ({ record }) => daysUntilToday(record['birth_date']) > 115.5 * 365.25 && record['status'] === '1',
  DQ15: ({ record }) => (record['died_on'] ?? '') < (record['birth_date'] ?? ''),
  DQ16: ({ record }) => {
    const origin = record['registered_division'] ?? record['mother_registered_division'] ?? '';
    return !currentCounties.has(origin.slice(0, 6));
  },
  ID07: ({ person, record }) =>
    diedBefore(person, 0) && record['status'] === '有效' && (record['ends_on'] ?? '') >= TODAY,
  ID09: ({ person, record }) =>
    record['status'] === '3' &&
    daysUntilToday(record['cancelled_on']) < 5 * 365 &&
    recordsOf(person, 'death_registration').length === 0,
  ID11: ({ person, record }) =>
    record['marital_status'] === '10' &&
    recordsOf(person, 'marriage_registration').some(({ event }) => event === '结婚'),
  ID12: ({ key, record }) =>
    daysUntilToday(record['issued_on']) > 31 &&
    isLocal(personIn('birth_certificate', key, 'mother')) &&
    recordsOf(personIn('birth_certificate', key, 'child'), 'household_register').length === 0,
  ID13: ({ key, record }) => {
    const mother = personIn('birth_certificate', key, 'mother');
    const born = daysUntilToday(record['child_birth_date']);
    const others = recordsOf(mother, 'birth_certificate').map(({ child_birth_date }) =>
      daysUntilToday(child_birth_date),
    );
    const age = (daysUntilToday(record['mother_birth_date']) - born) / 365.25;
    return age > 55 || others.some((other) => other - born > 2 && other - born < 182);
  },
  ID15: ({ person, record }) => {
    const kinds = recordsOf(person, 'social_insurance').map(({ insurance_kind }) => insurance_kind);
    const earlier = recordsOf(person, 'social_insurance').filter(
      ({ insured_since }) => (insured_since ?? '') < (record['insured_since'] ?? ''),
    );
    return record['insurance_kind'] === '390' && kinds.includes('310') && earlier.length > 0;
  },
  ID16: ({ person, record }) => record['status'] === 'active' && diedBefore(person, 0),
  MP04: ({ key }) =>
    ['subject', 'guardian']
      .map((role) => personIn('school_enrolment', key, role))
      .every((person) => !isLocal(person) && !hasResidenceRegistration(person)),
  MP06: ({ person, record }) => {
    const inForce = recordsOf(person, 'residence_registration').filter(
      ({ valid_until }) => (valid_until ?? '') >= TODAY,
    );
    const addresses = new Set(inForce.map(({ living_address }) => living_address));
    return (
      addresses.size === 2 &&
      inForce.every(({ registered_on }) => (registered_on ?? '') <= (record['registered_on'] ?? ''))
    );
  },
  MP08: ({ person, record }) => {
    const since = record['registered_on'] ?? '';
    const left = recordsOf(person, 'village_report').some(({ event_on }) => (event_on ?? '') > since);
    const elsewhere = recordsOf(person, 'residence_registration').some(
      ({ registered_on }) => (registered_on ?? '') > since,
    );
    return (record['valid_until'] ?? '') >= TODAY && (left || elsewhere);
  },
  MP10: ({ person, record }) =>
    daysUntilToday(record['event_on']) > 31 &&
    (record['event'] === '死亡'
      ? recordsOf(person, 'death_registration').length === 0 && isLocal(person)
      : recordsOf(person, 'birth_certificate').length === 0 && !isLocal(person)),
  MP12: ({ record }) =>
    record['dwelling_code'] !== null &&
    !namings.some(
      ({ feed, record: other }) =>
        feed.startsWith('housing_') && other['dwelling_code'] === record['dwelling_code'],
    ),
  ID05: ({ person, record }) =>
    diedBefore(person, 31) && (record['status'] === '1' || record['benefit_status'] === '1'),
  ID06: ({ person }) => diedBefore(person, 31),
  ID08: ({ person, record }) => diedBefore(person, 31) && record['status'] === '1',
  MP01: ({ person, record }) =>
    (record['valid_until'] ?? '') < TODAY && isInsured(person) && !isLocal(person),
  MP02: ({ person, record }) =>
    record['status'] === '有效' &&
    daysUntilToday(record['starts_on']) > 31 &&
    (record['ends_on'] ?? '') >= TODAY &&
    !isLocal(person) &&
    !hasResidenceRegistration(person),
  MP03: ({ person, record }) =>
    record['status'] === '1' &&
    daysUntilToday(record['insured_since']) > 186 &&
    !isLocal(person) &&
    !hasResidenceRegistration(person),
  MP05: ({ record }) => Number(record['floor_area']) / Number(record['occupants']) < 5,
};

test.each(Object.entries(HOLDS))('%s holds wherever it is planted', (rule, holds) => {
  const lines = planted.filter(([name]) => name === rule);
  expect(lines.length).toBeGreaterThan(0);
  for (const [, , feed, key] of lines) {
    const namings = byRecord.get(`${feed} ${key}`) ?? [];
    const subject = rule === 'ID07' ? 'landlord' : 'tenant';
    const naming = namings.find(({ role }) => role === subject) ?? namings[0];
    expect(naming !== undefined && holds(naming), `${rule} ${feed} ${key}`).toBe(true);
  }
});

test.each(['ID05', 'ID06', 'ID08', 'ID09', 'ID12', 'ID16', 'MP01', 'MP02', 'MP04', 'MP05', 'MP12'])(
  '%s is planted wherever it holds',
  (rule) => {
    const lines = planted.filter(([name]) => name === rule);
    const feed = lines[0]?.[2];
    const keys = new Set(lines.map(([, , , key]) => key));
    const subjects = namings.filter(
      ({ feed: its, role }) => its === feed && !['landlord', 'guardian', 'mother', 'father'].includes(role),
    );
    expect(
      subjects.filter((naming) => HOLDS[rule]?.(naming) && !keys.has(naming.key)).map(({ key }) => key),
    ).toEqual([]);
  },
);

test('ID10: a second marriage without divorce or death, nowhere else than planted', () => {
  const keys = planted.filter(([rule]) => rule === 'ID10').map(([, , , key]) => key);
  expect(keys.length).toBeGreaterThan(0);
  const found: string[] = [];
  for (const of of byPerson.values()) {
    const events = of.filter(({ feed }) => feed === 'marriage_registration');
    const divorced = events.some(({ record }) => Object.values(record).includes('离婚'));
    if (events.length < 2 || divorced) continue;
    const [first, later] = events.toSorted((left, right) =>
      String(left.record['registered_on']).localeCompare(String(right.record['registered_on'])),
    );
    const spouse = byRecord
      .get(`marriage_registration ${first?.key}`)
      ?.find(({ role }) => role !== first?.role);
    expect(recordsOf(spouse?.person ?? '', 'death_registration')).toEqual([]);
    found.push(later?.key ?? '');
  }
  expect(found.sort()).toEqual(keys.sort());
});
