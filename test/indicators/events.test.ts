import { describe, expect, test } from 'vitest';
import { COUNTY, SECOND, TOWN, useSmallCounty, VILLAGE } from './small-county.ts';

const here = useSmallCounty();
const ELSEWHERE = '610111002223';

/** A birth to this mother; the child is somebody new, of whom the picture knows nothing else unless given. */
async function birth(
  key: string,
  mother: number,
  more: { born?: string; sex?: string; child?: number; living?: string | null; registered?: string } = {},
): Promise<number> {
  const { born = '2026-03-01', sex = '1', living = VILLAGE, registered = VILLAGE } = more;
  const child = more.child ?? (await here.person({ born, sex, since: born }));
  await here.record(
    'birth_certificate',
    key,
    {
      child_sex: sex,
      child_birth_date: born,
      mother_living_division: living,
      mother_registered_division: registered,
    },
    { child, mother },
  );
  return child;
}

const woman = (born: string) => here.person({ sex: '2', born });

describe('births and deaths', () => {
  test('V01 to V03, V07: of who lives here, in the twelve months, over the mean residents', async () => {
    const mother = await woman('1995-01-01');
    await here.persons(15);
    await birth('B1', mother);
    await birth('B2', mother, { sex: '2', living: null });
    await birth('B3', mother, { living: ELSEWHERE });
    await birth('B4', mother, { born: '2025-11-18' });
    await here.person({ died: '2026-02-01' });
    await here.person({ died: '2026-03-01', born: '2025-12-01', since: '2025-12-01' });
    await here.person({ died: '2025-11-18' });
    // Gone before the first picture: where the register had them.
    const former = await here.person({ category: 'unknown', died: '2026-05-01' });
    await here.record(
      'household_register',
      'H1',
      { status: '3', registered_division: SECOND },
      { subject: former },
    );
    await here.person({ category: 'out_migrant', died: '2026-05-01' });
    await here.person({ category: 'unknown', died: '2026-06-01' });
    await here.publish('V01', 'V02', 'V03', 'V07');
    // 20 residents: the mother, 15 men and 4 children.
    expect((await here.figures('V01'))[COUNTY]).toEqual([100, 2, 20]);
    expect((await here.figures('V02'))[COUNTY]).toEqual([150, 3, 20]);
    expect((await here.figures('V02'))[TOWN]).toEqual([150, 3, 20]);
    expect((await here.figures('V03'))[COUNTY]).toEqual([-50, -1, 20]);
    expect((await here.figures('V07'))[COUNTY]).toEqual([500, 1, 2]);
  });

  test('the mean of the two ends of the year, once both are known', async () => {
    await here.knowsBefore();
    const mother = await woman('1995-01-01');
    await here.persons(4, { category: 'in_migrant', since: '2026-06-01' });
    await birth('B1', mother);
    // 1 a year before, 6 tonight.
    expect(await here.figure('V01')).toEqual([285.7143, 1, 3.5]);
  });

  test('a child that is certified twice is born once', async () => {
    const mother = await woman('1995-01-01');
    const child = await birth('B1', mother);
    await birth('B2', mother, { child });
    expect(await here.figure('V01')).toEqual([500, 1, 2]);
  });

  test('V04: 12 boys and 8 girls, with the Wilson interval of the boys’ share', async () => {
    const mother = await woman('1995-01-01');
    for (let at = 0; at < 20; at++) await birth(`B${at}`, mother, { sex: at < 12 ? '1' : '2' });
    await here.publish('V04');
    // p = 0.6, n = 20: 0.38658 to 0.78119.
    expect(await here.figures('V04')).toMatchObject({
      [COUNTY]: [150, 12, 8],
      [`${COUNTY} low`]: [63.0208, 12, 8],
      [`${COUNTY} high`]: [357.0247, 12, 8],
    });
  });

  test('V05: five times the sum of the rates of the age groups', async () => {
    const mother = await woman('1996-06-01');
    await woman('1997-06-01');
    await woman('1986-06-01');
    await woman('1970-06-01');
    await birth('B1', mother, { sex: '1' });
    // One birth of two women aged 25 to 29.
    expect(await here.figure('V05')).toEqual([2.5, 1, 3]);
  });

  test('V05: mothers of unknown age are spread like the others; very young ones count as 15 to 19', async () => {
    await woman('2010-06-01');
    const young = await woman('2012-06-01');
    const unknown = await here.person({ sex: '2', born: null });
    await birth('B1', young, { sex: '1' });
    await birth('B2', unknown, { sex: '1' });
    expect(await here.figure('V05')).toEqual([10, 2, 1]);
  });

  test('V06: mothers without an earlier child', async () => {
    const first = await woman('1996-03-01');
    const second = await woman('1990-01-01');
    const child = await here.person({ born: '2020-01-01' });
    await here.insert('population.relation', {
      person_id: second,
      other_person_id: child,
      kind: 'child',
      source: 'x',
    });
    await birth('B1', first);
    await birth('B2', second);
    expect((await here.figure('V06'))?.[0]).toBeCloseTo(30, 2);
    expect((await here.figure('V06'))?.[2]).toBe(1);
  });

  test('V09: in the register within a month, of those whose mother is registered here and who are old enough', async () => {
    const mother = await woman('1995-01-01');
    const registered = async (key: string, updated: string, born?: string): Promise<void> => {
      const child = await birth(`B${key}`, mother, born === undefined ? {} : { born });
      await here.record(
        'household_register',
        key,
        { status: '1', updated_at: `${updated} 08:00:00+08` },
        { subject: child },
      );
    };
    await registered('1', '2026-04-01');
    await registered('2', '2026-04-02');
    await registered('3', '2026-11-10', '2026-11-01');
    await birth('B4', mother);
    await birth('B5', mother, { registered: ELSEWHERE });
    expect(await here.figure('V09')).toEqual([33.3333, 1, 3]);
  });

  test('V10: cancelled within a month, by the place of registration', async () => {
    const dead = async (key: string, died: string, cancelled: string | null): Promise<void> => {
      const person = await here.person({ died });
      await here.record('death_registration', `D${key}`, { died_on: died }, { subject: person });
      await here.record(
        'household_register',
        key,
        { status: cancelled === null ? '1' : '3', cancelled_on: cancelled, registered_division: SECOND },
        { subject: person },
      );
    };
    await dead('1', '2026-03-01', '2026-04-01');
    await dead('2', '2026-03-01', '2026-04-02');
    await dead('3', '2026-03-01', null);
    await dead('4', '2026-11-01', null);
    await here.person({ registered: SECOND });
    expect(await here.figure('V10')).toEqual([33.3333, 1, 3]);
  });
});

describe('V08 life expectancy', () => {
  /** Age groups and how many live, and die in the year, in each. */
  async function population(groups: readonly (readonly [born: string, living: number, dead: number])[]) {
    for (const [born, living, dead] of groups) {
      await here.county.query(
        `WITH made AS (
           INSERT INTO population.person (person_id, sex, birth_date, death_date, is_local, source)
           SELECT coalesce((SELECT max(person_id) FROM population.person), 0) + n, '1', $1::date,
                  CASE WHEN n > $2 THEN '2026-11-17'::date END, true, 'x'
           FROM generate_series(1, $2 + $3::integer) n RETURNING *)
         INSERT INTO population.residence (person_id, since, until, living_division, category, evidence, recorded_run)
         SELECT person_id, '2000-01-01', death_date, '620802001001', 'local', '{}', 1 FROM made`,
        [born, living, dead],
      );
    }
  }

  test('by Chiang: worked out by hand for a population that dies at two ages', async () => {
    // Of 2500 aged 50 to 54, 100 die; of 2500 aged 85 and over, 500. Nobody dies at another age.
    await population([
      ['1974-06-01', 2500, 100],
      ['1936-06-01', 2500, 500],
    ]);
    // q(50) = 5 * 0.04 / (1 + 2.5 * 0.04) = 0.181818; e = 50 + (4.090909 + 0.454545) + 0.818182 * (30 + 1 / 0.2)
    expect(await here.figure('V08')).toEqual([83.1818, 600, 5000]);
  });

  test('not for fewer than 5000, nor where nobody of the oldest has died', async () => {
    await population([
      ['1974-06-01', 4999, 100],
      ['1936-06-01', 1, 0],
    ]);
    expect(await here.figure('V08')).toBeUndefined();
    await population([['1936-06-01', 0, 1]]);
    expect(await here.figure('V08')).toBeDefined();
  });
});

describe('marriages', () => {
  async function wedding(
    key: string,
    husband: number,
    wife: number,
    registeredOn = '2026-05-20',
    event = '结婚',
  ): Promise<void> {
    await here.record(
      'marriage_registration',
      key,
      { event, registered_on: registeredOn },
      { husband, wife },
    );
  }

  test('F01 and F02: couples, where the wife lives, or else the husband', async () => {
    const men = await here.persons(3);
    const [one = 0, two = 0, three = 0] = men;
    const wife = await here.person({ sex: '2', village: SECOND });
    const abroad = await here.person({ sex: '2', category: 'unknown' });
    await here.persons(6);
    await wedding('M1', one, wife);
    await wedding('M2', two, abroad);
    await wedding('M3', three, abroad, '2025-11-18');
    await wedding('M4', three, abroad, '2026-08-01', '离婚');
    await here.publish('F01', 'F02');
    expect(await here.figures('F01')).toEqual({
      [COUNTY]: [200, 2, 10],
      [TOWN]: [200, 2, 10],
      [VILLAGE]: [111.1111, 1, 9],
      [SECOND]: [1000, 1, 1],
    });
    expect((await here.figures('F02'))[COUNTY]).toEqual([100, 1, 10]);
  });

  test('F03 and F04: first marriages and the others', async () => {
    const groom = await here.person({ born: '1996-05-20' });
    const bride = await here.person({ sex: '2', born: '1998-05-20' });
    const widower = await here.person({ born: '1970-05-20' });
    const second = await here.person({ sex: '2', born: '2000-05-20' });
    await wedding('M0', widower, await here.person({ sex: '2', category: 'unknown' }), '1995-01-01');
    await wedding('M1', groom, bride);
    await wedding('M2', widower, second);
    await here.publish('F03', 'F04');
    expect((await here.figures('F03'))[`${COUNTY} 1`]?.[0]).toBeCloseTo(30, 2);
    expect((await here.figures('F03'))[`${COUNTY} 2`]?.[0]).toBeCloseTo(27, 2);
    expect((await here.figures('F03'))[`${COUNTY} 2`]?.[2]).toBe(2);
    expect((await here.figures('F04'))[COUNTY]).toEqual([50, 1, 2]);
  });
});
