import { describe, expect, test } from 'vitest';
import { COUNTY, SECOND, THIRD, TOWN, useSmallCounty, VILLAGE } from './small-county.ts';

const here = useSmallCounty();
const OTHER_TOWN = '620802002000';
const ELSEWHERE = '620102001001';

describe('who is counted where', () => {
  test('P01 to P05, P08 and P10 by county, township and village', async () => {
    await here.persons(3);
    await here.persons(2, { category: 'separated', village: THIRD });
    await here.persons(4, { category: 'in_migrant', village: SECOND });
    await here.persons(1, { category: 'out_migrant' });
    await here.publish('P01', 'P02', 'P03', 'P04', 'P05', 'P08', 'P10');
    expect(await here.figures('P01')).toEqual({
      [COUNTY]: [6, null, null],
      [TOWN]: [6, null, null],
      [VILLAGE]: [6, null, null],
      [SECOND]: [0, null, null],
      [OTHER_TOWN]: [0, null, null],
      [THIRD]: [0, null, null],
    });
    expect(await here.figures('P02')).toEqual({
      [COUNTY]: [9, null, null],
      [TOWN]: [7, null, null],
      [VILLAGE]: [3, null, null],
      [SECOND]: [4, null, null],
      [OTHER_TOWN]: [2, null, null],
      [THIRD]: [2, null, null],
    });
    expect((await here.figures('P03'))[TOWN]).toEqual([4, null, null]);
    expect((await here.figures('P04'))[TOWN]).toEqual([1, null, null]);
    expect((await here.figures('P05'))[COUNTY]).toEqual([66.6667, 6, 9]);
    expect((await here.figures('P08'))[COUNTY]).toEqual([150, 9, 6]);
    expect(Object.keys(await here.figures('P10'))).toEqual([VILLAGE, SECOND, THIRD]);
  });

  test('who lives in no known village counts for the county alone', async () => {
    await here.person({ category: 'in_migrant', village: COUNTY });
    await here.person({ category: 'in_migrant', village: '620802999999' });
    await here.publish('P02');
    expect(await here.figures('P02')).toEqual({ [COUNTY]: [2, null, null] });
  });

  test('P06: of in-migrants whose origin is known', async () => {
    await here.persons(3, { category: 'in_migrant', origin: '440106001001' });
    await here.person({ category: 'in_migrant', origin: ELSEWHERE });
    await here.person({ category: 'in_migrant' });
    expect(await here.figure('P06')).toEqual([75, 3, 4]);
  });
});

describe('compared with a year before', () => {
  test('nothing is said while no picture is so old', async () => {
    await here.persons(3);
    await here.publish('P07', 'P09');
    expect(await here.figures('P07')).toEqual({});
    expect(await here.county.query('SELECT code, feeds FROM population.indicator_gap ORDER BY code')).toEqual(
      [
        { code: 'P07', feeds: ['a picture of a year before'] },
        { code: 'P09', feeds: ['a picture of a year before'] },
      ],
    );
  });

  test('P07 and P09: who moves within a division has not moved by its count; births and deaths are no moves', async () => {
    await here.knowsBefore();
    await here.persons(10, { village: THIRD });
    await here.persons(4, { category: 'in_migrant', village: SECOND, since: '2026-03-01' });
    await here.person({ born: '2026-05-01', since: '2026-05-01', village: THIRD });
    await here.person({ died: '2026-04-01', village: THIRD });
    const gone = await here.person({ until: '2026-02-01', village: THIRD });
    await here.insert('population.residence', {
      ...{ person_id: gone, since: '2026-02-01', registered_division: THIRD, category: 'out_migrant' },
      ...{ evidence: '{}', recorded_run: 1 },
    });
    const moved = await here.person({ until: '2026-02-01', village: THIRD });
    await here.insert('population.residence', {
      ...{ person_id: moved, since: '2026-02-01', registered_division: THIRD, living_division: SECOND },
      ...{ category: 'separated', evidence: '{}', recorded_run: 1 },
    });
    await here.publish('P07', 'P09');
    // 13 a year before, 16 now: 14.5 in the mean; 4 came and 1 went.
    expect((await here.figures('P07'))[COUNTY]).toEqual([206.8966, 3, 14.5]);
    expect((await here.figures('P09'))[COUNTY]).toEqual([23.0769, 3, 13]);
    // THIRD: 13 before, 11 now; 2 went.
    expect((await here.figures('P07'))[THIRD]).toEqual([-166.6667, -2, 12]);
    expect((await here.figures('P07'))[SECOND]).toEqual([2000, 5, 2.5]);
  });
});

describe('sex and age', () => {
  test('S01 to S09 of a county of ten', async () => {
    // Tonight they are 4, 30, 30, 40, 59, 62, 66, 70, 81 years old; of one nobody knows.
    const born = ['2022-11-18', '1996-01-01', '1996-02-01', '1986-11-18', '1966-11-19', '1964-01-01'];
    for (const day of [...born, '1960-01-01', '1956-01-01', '1945-01-01', null])
      await here.person({ born: day, sex: '2' });
    await here.persons(5, { sex: '1', born: '1996-03-01' });
    await here.publish('S01', 'S02', 'S03', 'S04', 'S05', 'S06', 'S07', 'S08', 'S09');
    const ofCounty = async (code: string) => (await here.figures(code))[COUNTY];
    expect(await ofCounty('S01')).toEqual([50, 5, 10]);
    expect(await ofCounty('S02')).toEqual([7.1429, 1, 14]);
    expect(await ofCounty('S03')).toEqual([64.2857, 9, 14]);
    expect(await ofCounty('S04')).toEqual([28.5714, 4, 14]);
    expect(await ofCounty('S05')).toEqual([21.4286, 3, 14]);
    expect(await ofCounty('S06')).toEqual([25, 1, 4]);
    expect(await ofCounty('S07')).toEqual([40, 4, 10]);
    expect(await ofCounty('S08')).toEqual([300, 3, 1]);
    // The 7th of 14 is the 6th of the 7 who are 30: 30 + 6/7.
    expect(await ofCounty('S09')).toEqual([30.8571, null, 14]);
  });

  test('S10: members of households by the place of the household', async () => {
    await here.persons(3);
    for (const [code, members] of [
      ['H1', 2],
      ['H2', 3],
    ] as const)
      await here.insert('population.household', {
        household_code: code,
        division: VILLAGE,
        heads: 1,
        members,
      });
    expect(await here.figure('S10')).toEqual([2.5, 5, 2]);
  });

  test('S11: nobody else of the household lives here, nor anybody else in the dwelling', async () => {
    const old = { born: '1950-01-01' };
    await here.person({ ...old, household: 'H1' });
    await here.person({ ...old, household: 'H1', category: 'out_migrant' });
    await here.persons(2, { ...old, household: 'H2' });
    const lodger = await here.person({ category: 'in_migrant' });
    const hostess = await here.person({ ...old, household: 'H3' });
    for (const [id, relation] of [
      [lodger, 'leases'],
      [hostess, 'registered'],
    ] as const)
      await here.insert('population.dwelling_person', {
        ...{ mention_id: id, dwelling_id: 1, person_id: id, relation, feed: 'x', source_key: 'x' },
      });
    // The first of H1, two of H2, the hostess: only the first is alone.
    expect(await here.figure('S11')).toEqual([25, 1, 4]);
  });

  test('S12: each sex and age, the oldest together', async () => {
    await here.persons(2, { sex: '2', born: '1992-01-01' });
    await here.person({ sex: '2', born: '1930-01-01' });
    await here.person({ sex: '1', born: '1922-01-01' });
    await here.publish('S12');
    const found = await here.figures('S12');
    expect(Object.keys(found)).toHaveLength(3 * 2 * 91);
    expect(found[`${VILLAGE} 2.34`]).toEqual([2, null, null]);
    expect(found[`${TOWN} 2.90`]).toEqual([1, null, null]);
    expect(found[`${COUNTY} 1.90`]).toEqual([1, null, null]);
    expect(found[`${COUNTY} 1.34`]).toEqual([0, null, null]);
  });
});
