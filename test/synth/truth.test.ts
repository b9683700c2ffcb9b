import { describe, expect, test } from 'vitest';
import { lunarDate } from '../../src/schema/standards/dates.ts';
import { areaEverAssigned } from '../../src/schema/standards/divisions.ts';
import { type IdentityNumber, parseIdNumber } from '../../src/schema/standards/identity-number.ts';
import { compareNames, normaliseName } from '../../src/schema/standards/names.ts';
import { normalisePhone } from '../../src/schema/standards/phones.ts';
import { isPlaceholderName } from '../../src/schema/standards/placeholders.ts';
import { CENSUS_2020 } from '../../src/synth/ages.ts';
import { FEEDS, invent, readDelivery, type Said, table } from './county.ts';

const YEAR = 365.2425 * 86_400_000;
const out = await invent({ persons: 9000, nights: 1, seed: 3 });
const mentions = (await Promise.all(FEEDS.map((feed) => readDelivery(out, feed, '20261118')))).flatMap(
  (delivery) => delivery.mentions,
);
const truth = await table(out, 'truth.tsv');
const planted = await table(out, 'planted.tsv');
const persons = new Map((await table(out, 'persons.tsv')).map((row) => [row[0] ?? '', row]));
const truePerson = new Map(
  truth.map(([feed, key, role, person]) => [`${feed} ${key} ${role}`, person ?? '']),
);
const inRegister = new Map(
  mentions.filter(({ feed }) => feed === 'household_register').map((said) => [said.idNumber, said]),
);

/** The mention that a line of planted.tsv speaks of: `key`, or `key/role`. */
function mentionOf(feed: string, sourceKey: string): Said {
  const [key, role] = sourceKey.split('/');
  const said = mentions.find(
    (one) => one.feed === feed && one.key === key && (role === undefined || one.role === role),
  );
  if (said === undefined) throw new Error(`${feed} ${sourceKey} was not delivered`);
  return said;
}

describe('the truth', () => {
  test('covers every mention', () => {
    expect(mentions.map(({ feed, key, role }) => `${feed} ${key} ${role}`).sort()).toEqual(
      [...truePerson.keys()].sort(),
    );
  });

  test('gives every person a valid ID number of his or her own', () => {
    const numbers = [...persons.values()].map(([, idNumber = '']) => parseIdNumber(idNumber));
    expect(numbers.filter(({ kind }) => kind !== 'resident')).toEqual([]);
    expect(new Set(numbers.map(({ canonical }) => canonical)).size).toBe(persons.size);
    for (const [, idNumber = '', , sex, birth] of persons.values()) {
      const { sex: told, birthDate, areaCode } = parseIdNumber(idNumber);
      expect([told, birthDate?.replaceAll('-', '')]).toEqual([sex, birth]);
      expect(areaEverAssigned(areaCode ?? '')).toBe(true);
    }
  });

  test('has the ages of the census', () => {
    const groups = CENSUS_2020.map(() => 0);
    const living = [...persons.values()].filter(([, , , , , , , alive]) => alive === '1');
    for (const [, , , , birth = ''] of living) {
      const age =
        (Date.parse('2026-11-18') -
          Date.parse(`${birth.slice(0, 4)}-${birth.slice(4, 6)}-${birth.slice(6)}`)) /
        YEAR;
      const group = Math.min(Math.floor(age / 5), groups.length - 1);
      groups[group] = (groups[group] ?? 0) + 1;
    }
    const total = CENSUS_2020.reduce((sum, count) => sum + count, 0);
    const differences = CENSUS_2020.map((count, group) =>
      Math.abs((groups[group] ?? 0) / living.length - count / total),
    );
    expect(differences.reduce((sum, difference) => sum + difference, 0) / 2).toBeLessThan(0.06);
  });

  test('a mention without a planted slip says the truth', () => {
    const slipped = new Set(planted.map(([, , feed, key]) => `${feed} ${key}`));
    for (const said of mentions) {
      const { feed, key, role, idNumber, name, sex, birthDate } = said;
      if (slipped.has(`${feed} ${key}`) || slipped.has(`${feed} ${key}/${role}`)) continue;
      const [, trueNumber, trueName, trueSex, birth] =
        persons.get(truePerson.get(`${feed} ${key} ${role}`) ?? '') ?? [];
      expect([
        idNumber ?? trueNumber,
        name ?? trueName,
        sex ?? trueSex,
        birthDate?.replaceAll('-', '') ?? birth,
      ]).toEqual([trueNumber, trueName, trueSex, birth]);
    }
  });
});

/** What each rule about one record means, by the anomaly catalogue. */
const SHOWS: Readonly<Record<string, (said: Said, number: IdentityNumber) => boolean>> = {
  DQ01: (_, { kind }) => kind === 'invalid',
  DQ02: (_, { kind }) => kind === 'resident_15',
  DQ03: (_, { kind }) => kind === 'impossible_birth',
  DQ04: (_, { kind, areaCode }) => kind === 'resident' && areaCode !== null && !areaEverAssigned(areaCode),
  DQ06: ({ sex: told }, { kind, sex }) => kind === 'resident' && sex !== told,
  DQ07: ({ birthDate: told }, { kind, birthDate }) =>
    kind === 'resident' &&
    told !== birthDate &&
    String(lunarDate(birthDate ?? '')) !== told?.replaceAll('-', ''),
  DQ08: ({ birthDate: told }, { kind, birthDate }) =>
    kind === 'resident' &&
    told !== birthDate &&
    String(lunarDate(birthDate ?? '')) === told?.replaceAll('-', ''),
  DQ09: ({ name, phone }, { kind }) =>
    kind === 'placeholder' || isPlaceholderName(name ?? '') || normalisePhone(phone).kind === 'placeholder',
  DQ10: ({ name }) => normaliseName(name ?? '').unreadable,
  ID01: ({ name, idNumber }) =>
    compareNames(name ?? '', inRegister.get(idNumber)?.name ?? '') === 'different',
  ID04: ({ name, idNumber }) =>
    ['homophone', 'look_alike'].includes(compareNames(name ?? '', inRegister.get(idNumber)?.name ?? '')),
};

describe('planted slips', () => {
  test.each(Object.entries(SHOWS))('%s shows in its delivery', (rule, shows) => {
    const lines = planted.filter(([name]) => name === rule);
    expect(lines.length).toBeGreaterThan(0);
    const hidden = lines.filter(([, , feed = '', key = '']) => {
      const said = mentionOf(feed, key);
      return !shows(said, parseIdNumber(said.idNumber));
    });
    expect(hidden).toEqual([]);
  });

  test('ID03 stands beside the right number in the household register', () => {
    const lines = planted.filter(([rule]) => rule === 'ID03');
    expect(lines.length).toBeGreaterThan(0);
    for (const [, , feed = '', key = '', rightNumber = ''] of lines) {
      const said = mentionOf(feed, key);
      const right = inRegister.get(rightNumber);
      expect(parseIdNumber(rightNumber).kind).toBe('resident');
      expect([said.name, said.birthDate]).toEqual([right?.name, right?.birthDate]);
      expect(isOneEditApart(said.idNumber ?? '', rightNumber)).toBe(true);
    }
  });
});

/** One substitution, transposition of neighbours, insertion or deletion. */
function isOneEditApart(odd: string, right: string): boolean {
  let start = 0;
  while (start < right.length && odd[start] === right[start]) start += 1;
  const [oddRest, rightRest] = [odd.slice(start), right.slice(start)];
  return (
    oddRest.slice(1) === rightRest.slice(1) ||
    oddRest.slice(1) === rightRest ||
    oddRest === rightRest.slice(1) ||
    (oddRest.slice(2) === rightRest.slice(2) && oddRest[0] === rightRest[1] && oddRest[1] === rightRest[0])
  );
}
