import { expect, test } from 'vitest';
import { parseIdNumber } from '../../src/schema/standards/identity-number.ts';
import { FEEDS, invent, readDelivery, type SentRecord, table } from './county.ts';

/** The rules across departments, by the letter of the anomaly catalogue, on the truth of an invented county. */
const TODAY = '2026-11-18';
const out = await invent({ persons: 15_000, nights: 1, seed: 8 });
const records = new Map<string, Map<string, SentRecord>>();
for (const feed of FEEDS) records.set(feed, (await readDelivery(out, feed, '20261118')).records);
const planted = await table(out, 'planted.tsv');

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
    const naming = namings.find(({ role }) => role === 'tenant') ?? namings[0];
    expect(naming !== undefined && holds(naming), `${rule} ${feed} ${key}`).toBe(true);
  }
});

test.each(['ID05', 'ID06', 'ID08', 'MP01', 'MP02', 'MP05'])('%s is planted wherever it holds', (rule) => {
  const lines = planted.filter(([name]) => name === rule);
  const feed = lines[0]?.[2];
  const keys = new Set(lines.map(([, , , key]) => key));
  const subjects = namings.filter((naming) => naming.feed === feed && naming.role !== 'landlord');
  expect(
    subjects.filter((naming) => HOLDS[rule]?.(naming) && !keys.has(naming.key)).map(({ key }) => key),
  ).toEqual([]);
});

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
