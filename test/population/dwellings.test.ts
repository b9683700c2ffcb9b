import { describe, expect, test } from 'vitest';
import { streetWithin } from '../../src/population/places.ts';
import { lease, register, residence, residentNumber, TOMORROW, TONIGHT } from '../rules/situation.ts';
import { type Row, title } from '../support/drop.ts';
import { usePopulation } from './bring.ts';

const { county, night, bring, personOf } = usePopulation();

const VILLAGE = '620802106201';
const ADDRESS = '崆峒区四十里铺镇长沟门290号1587室';
const LI = { id_number: residentNumber('19820101', '002'), name: '李娜', sex: '2', birth_date: '19820101' };

function registered(key: string, address: string, more: Row = {}): Row {
  return register(key, { registered_division: VILLAGE, registered_address: address, ...more });
}

function owned(key: string, more: Row = {}): Row {
  const owner = { owner_id_number: LI.id_number, dwelling_address: ADDRESS, division: VILLAGE };
  return title(key, LI.name, { ...owner, floor_area: '88.5', ...more });
}

/** Who has to do with which dwelling, as `relation code`, by source key. */
async function stays(): Promise<Record<string, string>> {
  const rows = await county.query<{ key: string; stay: string }>(
    `SELECT source_key AS key, relation || ' ' || coalesce(code, 'address') || CASE WHEN is_ambiguous THEN ' ambiguous' ELSE '' END AS stay
     FROM population.dwelling_person JOIN population.dwelling USING (dwelling_id) ORDER BY source_key, relation`,
  );
  return Object.fromEntries(rows.map(({ key, stay }) => [key, stay]));
}

async function idOf(key: string): Promise<number | undefined> {
  const [row] = await county.query<{ dwelling_id: number }>(
    'SELECT dwelling_id FROM population.dwelling_person WHERE source_key = $1',
    [key],
  );
  return row?.dwelling_id;
}

describe('an address in the household register', () => {
  test.each([
    ['as housing writes it', ADDRESS],
    ['with the names of all levels', `甘肃省平凉市${ADDRESS}`],
    ['without the county', '四十里铺镇长沟门290号1587室'],
    ['with the village in full', '崆峒区四十里铺镇长沟门村290号1587室'],
    ['with full-width digits and spaces', '崆峒区四十里铺镇长沟门 ２９０号１５８７室'],
    ['with a hyphen for the unit', '长沟门290号-1587'],
  ])('meets the coded dwelling: %s', async (_how, address) => {
    await night(TONIGHT, { household_register: [registered('H', address)], housing_ownership: [owned('F')] });
    expect(await stays()).toEqual({ F: 'owns FF', H: 'registered FF' });
  });

  test.each([
    ['another room', '崆峒区四十里铺镇长沟门290号1588室', VILLAGE],
    ['no room', '崆峒区四十里铺镇长沟门290号', VILLAGE],
    ['another number', '崆峒区四十里铺镇长沟门29号1587室', VILLAGE],
    ['another street', '崆峒区四十里铺镇长沟门东街290号1587室', VILLAGE],
    ['another village', ADDRESS, '620802106202'],
  ])('does not meet a dwelling at %s', async (_how, address, division) => {
    await night(TONIGHT, {
      household_register: [registered('H', address, { registered_division: division })],
      housing_ownership: [owned('F')],
    });
    expect(await stays()).toEqual({ F: 'owns FF', H: 'registered address' });
  });

  test('without a number is no dwelling', async () => {
    await night(TONIGHT, { household_register: [registered('H', '崆峒区四十里铺镇长沟门')] });
    expect(await county.query('SELECT * FROM population.dwelling')).toEqual([]);
  });

  test('keeps its dwelling when a code turns up for it, and when the code goes again', async () => {
    await night(TONIGHT, { household_register: [registered('H', ADDRESS)] });
    const before = await idOf('H');
    await county.deliver('housing_ownership', TOMORROW, [owned('F')]);
    await county.night(TOMORROW, ['housing_ownership']);
    await bring({ persons: [await personOf('housing_ownership', 'F', 'owner')] });
    expect(await stays()).toEqual({ F: 'owns FF', H: 'registered FF' });
    expect(await idOf('H')).toBe(before);
    county.setGates({ fewer_percent: 100 });
    await night('2026-11-20', { housing_ownership: [owned('G', { dwelling_address: '崆峒区广成路1号' })] });
    expect(await stays()).toEqual({ G: 'owns FG', H: 'registered FF' });
    expect(await idOf('H')).toBe(before);
  });

  test('with two codes is not guessed at; who was there before is told so too', async () => {
    await night(TONIGHT, {
      household_register: [registered('H', ADDRESS)],
      housing_ownership: [owned('F')],
    });
    const before = await idOf('F');
    county.setGates({ more_percent: 1000, fewer_percent: 100 });
    await county.deliver('housing_ownership', TOMORROW, [
      owned('F'),
      owned('G', { owner_name: '赵敏', owner_id_number: '' }),
    ]);
    await county.night(TOMORROW, ['housing_ownership']);
    await bring({ persons: [await personOf('housing_ownership', 'G', 'owner')] });
    expect(await stays()).toEqual({ F: 'owns FF', G: 'owns FG', H: 'registered address ambiguous' });
    await night('2026-11-20', { housing_ownership: [owned('F')] });
    expect(await stays()).toEqual({ F: 'owns FF', H: 'registered FF' });
    expect(await idOf('H')).toBe(before);
  });

  test('prefers the code that housing knows to one that it does not', async () => {
    await night(TONIGHT, {
      household_register: [registered('H', ADDRESS)],
      housing_ownership: [owned('F')],
      residence_registration: [
        residence('J', { ...LI, living_division: VILLAGE, living_address: ADDRESS, dwelling_code: 'FX' }),
      ],
    });
    expect(await stays()).toEqual({ F: 'owns FF', H: 'registered FF', J: 'lives FX' });
  });
});

describe('a dwelling', () => {
  test('has what housing says of it, titles before leases, and is known to housing or not', async () => {
    await night(TONIGHT, {
      housing_ownership: [owned('F')],
      housing_lease: [
        lease('L', { dwelling_code: 'FF', dwelling_address: ADDRESS, division: VILLAGE, floor_area: '80' }),
      ],
      residence_registration: [residence('J', { dwelling_code: 'FX', living_address: '东大街' })],
    });
    expect(
      await county.query(
        'SELECT code, division, street, number, room, floor_area::float8 AS area, known_to_housing FROM population.dwelling ORDER BY code',
      ),
    ).toEqual([
      {
        code: 'FF',
        division: VILLAGE,
        street: null,
        number: '290',
        room: '1587',
        area: 88.5,
        known_to_housing: true,
      },
      {
        code: 'FX',
        division: '620802001001',
        street: '东大街',
        number: null,
        room: null,
        area: null,
        known_to_housing: false,
      },
    ]);
    expect(
      await county.query(
        `SELECT relation, feed, source_key, since, until FROM population.dwelling_person ORDER BY relation`,
      ),
    ).toEqual([
      {
        relation: 'leases',
        feed: 'housing_lease',
        source_key: 'L',
        since: '2026-01-01',
        until: '2027-12-31',
      },
      { relation: 'lets', feed: 'housing_lease', source_key: 'L', since: '2026-01-01', until: '2027-12-31' },
      {
        relation: 'lives',
        feed: 'residence_registration',
        source_key: 'J',
        since: '2024-01-01',
        until: '2027-12-31',
      },
      { relation: 'owns', feed: 'housing_ownership', source_key: 'F', since: '2020-01-01', until: null },
    ]);
  });

  test('is left by a registration that ends; a lease that was cancelled ends with its last change', async () => {
    await night(TONIGHT, {
      household_register: [registered('H', ADDRESS), registered('I', ADDRESS, LI)],
      housing_lease: [lease('L', { status: '注销', updated_at: '2026-10-01 08:00:00' })],
    });
    expect(
      await county.query(`SELECT until FROM population.dwelling_person WHERE relation = 'leases'`),
    ).toEqual([{ until: '2026-10-01' }]);
    await night(TOMORROW, {
      household_register: [registered('H', ADDRESS), registered('I', ADDRESS, { ...LI, status: '2' })],
    });
    expect(await stays()).toMatchObject({ H: 'registered address' });
    expect(await stays()).not.toHaveProperty('I');
  });

  test('an unchanged night writes nothing', async () => {
    await night(TONIGHT, {
      household_register: [registered('H', ADDRESS), registered('I', '崆峒区四十里铺镇长沟门12号', LI)],
      housing_ownership: [owned('F'), owned('G')],
      housing_lease: [lease('L')],
    });
    expect(await bring()).toBe(0);
  });
});

test.each([
  ['崆峒区四十里铺镇长沟门', ''],
  ['甘肃省平凉市崆峒区四十里铺镇长沟门村', ''],
  ['长沟门村三社', '三社'],
  ['东大街', '东大街'],
  ['四十里铺镇新区路', '新区路'],
])('the street within a village: %s', (written, street) => {
  const names = ['甘肃省', '平凉市', '崆峒区', '四十里铺镇'];
  expect(streetWithin(written, names, '长沟门村委会')).toBe(street);
});
