import { describe, expect, test } from 'vitest';
import { decide } from '../../src/jobs/decision.ts';
import { mentionOf, personsModel } from '../identity/persons.ts';
import { died } from '../rules/registers.ts';
import { insurance, register, residence, residentNumber, TOMORROW, TONIGHT } from '../rules/situation.ts';
import { usePictures } from './pictures.ts';

const { county, night, personOf, residenceOf, residencyOf } = usePictures();
const SECOND = '620802001002';
const THIRD = '620802001003';

/** Which transaction wrote each row of the picture last. */
async function writings(): Promise<unknown[]> {
  const tables = [
    'state',
    'standing',
    'sign',
    'sign_weight',
    'residence',
    'residence_count',
    'resident_estimate',
  ].map((table) => `population.${table}`);
  return Promise.all(
    [...tables, 'identity.residency'].map((table) =>
      county.query(`SELECT '${table}' AS name, ctid::text, xmin::text FROM ${table} ORDER BY ctid`),
    ),
  );
}

describe('history', () => {
  test('a move closes the interval on its day; past dates still answer', async () => {
    const first = residence('J', { living_division: SECOND });
    await night(TONIGHT, { residence_registration: [first] });
    const moved = residence('K', {
      living_division: THIRD,
      registered_on: '20261110',
      updated_at: '2026-11-10 08:00:00',
    });
    await night(TOMORROW, { residence_registration: [moved] });
    expect(await residenceOf(await personOf('residence_registration', 'J'))).toMatchObject([
      { living: SECOND, since: '2024-01-01', until: '2026-11-10' },
      { living: THIRD, since: '2026-11-10', until: null },
    ]);
    const on = (date: string) =>
      county.query('SELECT living_division FROM population.residence_on($1)', [date]);
    expect(await on('2023-12-31')).toEqual([]);
    expect(await on('2026-11-09')).toEqual([{ living_division: SECOND }]);
    expect(await on('2026-11-10')).toEqual([{ living_division: THIRD }]);
  });

  test('a death ends it on the day of death', async () => {
    await night(TONIGHT, { residence_registration: [residence('J')] });
    await night(TOMORROW, { death_registration: died('20261110') });
    expect(await residenceOf(await personOf('residence_registration', 'J'))).toMatchObject([
      { until: '2026-11-10' },
    ]);
  });

  test('a record that goes takes its sign with it', async () => {
    const other = insurance('T', {
      id_number: residentNumber('19900101', '005'),
      name: '赵刚',
      birth_date: '19900101',
    });
    await night(TONIGHT, { social_insurance: [insurance('S'), other] });
    const person = await personOf('social_insurance', 'S|110');
    county.setGates({ fewer_percent: 100 });
    await night(TOMORROW, { social_insurance: [other] });
    expect(await residenceOf(person)).toMatchObject([{ category: 'in_migrant', until: TOMORROW }]);
    expect(await residencyOf(person)).toBeUndefined();
  });
});

describe('by time alone', () => {
  test('a residence registration runs out', async () => {
    await night(TONIGHT, { residence_registration: [residence('J', { valid_until: '20261118' })] });
    const person = await personOf('residence_registration', 'J');
    expect(await residenceOf(person)).toMatchObject([{ until: null }]);
    await night(TOMORROW, { death_registration: [] });
    expect(await residenceOf(person)).toMatchObject([{ until: TOMORROW }]);
  });

  test('half a year is over', async () => {
    await night(TONIGHT, { social_insurance: [insurance('S', { insured_since: '20260520' })] });
    const person = await personOf('social_insurance', 'S|110');
    expect(await residenceOf(person)).toEqual([]);
    await night('2026-11-20', { death_registration: [] });
    expect(await residenceOf(person)).toMatchObject([{ category: 'in_migrant', since: '2026-05-20' }]);
  });

  test('the index falls with the months until a registered person is gone', async () => {
    const paid = insurance('S', { last_paid_month: '202412', insured_since: '20100101', status: '3' });
    await night(TONIGHT, { household_register: [register('H')], social_insurance: [paid] });
    const person = await personOf('household_register', 'H');
    const told = await residencyOf(person);
    await night('2026-11-30', { death_registration: [] });
    expect(await residencyOf(person)).toEqual(told);
    expect(await residenceOf(person)).toMatchObject([{ category: 'local' }]);
    await night('2027-12-01', { death_registration: [] });
    expect(await residenceOf(person)).toMatchObject([
      { category: 'local', until: '2027-12-01' },
      { category: 'out_migrant', until: null },
    ]);
  });
});

describe('what is written', () => {
  const rows = {
    household_register: [register('H')],
    social_insurance: [insurance('S')],
    residence_registration: [
      residence('J', { id_number: residentNumber('19900101', '005'), name: '赵刚', birth_date: '19900101' }),
    ],
  };

  test('a night that changes nothing writes nothing', async () => {
    await night(TONIGHT, rows);
    const before = await writings();
    await night(TONIGHT, {});
    expect(await writings()).toEqual(before);
  });

  test('an older date that is run late leaves the picture at the newest', async () => {
    await night(TOMORROW, rows);
    await night(TONIGHT, { residence_registration: [] });
    expect(await county.query('SELECT as_of FROM population.state')).toEqual([{ as_of: TOMORROW }]);
  });

  test('registers that came are known to the planner, whenever the server would look at them by itself', async () => {
    await night(TONIGHT, { residence_registration: [residence('J')] });
    expect(
      await county.query(
        `SELECT reltuples FROM pg_class WHERE oid = 'registry.residence_registration'::regclass`,
      ),
    ).toEqual([{ reltuples: 1 }]);
  });

  test('the rows of a person who is merged away vanish', async () => {
    await night(TONIGHT, rows);
    const [kept, lost] = [
      await personOf('household_register', 'H'),
      await personOf('residence_registration', 'J'),
    ];
    await decide(county.warehouse, await personsModel(), {
      verdict: 'same',
      mentions: [
        await mentionOf(county, 'household_register H subject'),
        await mentionOf(county, 'residence_registration J subject'),
      ],
      reason: '测试',
      decidedBy: 'officer',
    });
    await night(TOMORROW, { death_registration: [] });
    const person = await personOf('residence_registration', 'J');
    const gone = person === kept ? lost : kept;
    for (const table of [
      'population.standing',
      'population.sign',
      'population.residence',
      'identity.residency',
    ]) {
      expect(await county.query(`SELECT FROM ${table} WHERE person_id = $1`, [gone])).toEqual([]);
    }
    expect((await residenceOf(person)).at(-1)).toMatchObject({
      category: 'local',
      kind: 'residence_registered',
    });
  });
});
