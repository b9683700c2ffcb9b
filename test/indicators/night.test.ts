import { readFile } from 'node:fs/promises';
import { describe, expect, test } from 'vitest';
import { loadIndicators } from '../../src/population/indicators/indicator-file.ts';
import { insurance, register, residence, TOMORROW, TONIGHT } from '../rules/situation.ts';
import { useCounty } from '../support/drop.ts';

const county = useCounty();
const COUNTY = '620802000000';
const FEEDS = ['household_register', 'residence_registration', 'social_insurance'];

/** One person in three feeds. */
async function deliverAll(date: string): Promise<void> {
  await county.deliver('household_register', date, [register('H1', { registered_division: '620802001001' })]);
  await county.deliver('residence_registration', date, [residence('R1')]);
  await county.deliver('social_insurance', date, [insurance('I1', { name: '王小强' })]);
}

async function publishOnly(...codes: string[]): Promise<void> {
  county.indicators = (await loadIndicators('config/indicators')).filter(({ indicator }) =>
    codes.includes(indicator),
  );
}

describe('a night', () => {
  test('ends with its figures, as a step of the ledger', async () => {
    await publishOnly('P01', 'Q01', 'Q04');
    await deliverAll(TONIGHT);
    expect(await county.night(TONIGHT, FEEDS)).toMatchObject({ status: 'done' });
    const steps = await county.query<{ name: string }>(`SELECT name FROM ops.step ORDER BY step_id`);
    const names = steps.map(({ name }) => name);
    expect(names.indexOf('publish')).toBeGreaterThan(names.indexOf('corrections'));
    expect(
      await county.query(
        `SELECT code, value, numerator, denominator FROM population.indicator_value WHERE division = $1 ORDER BY code`,
        [COUNTY],
      ),
    ).toEqual([
      { code: 'P01', value: 1, numerator: null, denominator: null },
      { code: 'Q01', value: 100, numerator: 3, denominator: 3 },
      { code: 'Q04', value: 100, numerator: 3, denominator: 3 },
    ]);
  });

  test('says which file failed, and publishes the others', async () => {
    await publishOnly('P01', 'Q01');
    county.indicators = county.indicators.map((indicator) =>
      indicator.indicator === 'P01' ? { ...indicator, select: 'SELECT nothing' } : indicator,
    );
    await deliverAll(TONIGHT);
    expect(await county.night(TONIGHT, FEEDS)).toMatchObject({
      status: 'failed',
      failed_indicators: [expect.stringMatching(/P01-registered-population\.sql/)],
    });
    expect(await county.query('SELECT DISTINCT code FROM population.indicator_value')).toEqual([
      { code: 'Q01' },
    ]);
  });
});

describe('the scorecard', () => {
  async function scorecard(date: string) {
    return county.query(
      `SELECT feed, timeliness, acceptance, valid_id, linked, agreement, corrections_on_time
       FROM reporting.scorecard WHERE business_date = $1 ORDER BY feed`,
      [date],
    );
  }
  const perfect = { timeliness: 1, acceptance: 1, valid_id: 1, linked: 1, agreement: 1 };

  test('tells of each feed what came, and what it is worth', async () => {
    await county.deliver('household_register', TONIGHT, [
      register('H1'),
      register('H2', { id_number: '', name: '李娜' }),
    ]);
    await county.deliver('residence_registration', TONIGHT, [residence('R1', { sex: '2' })]);
    await county.night(TONIGHT, [...FEEDS, 'school_enrolment']);
    expect(await scorecard(TONIGHT)).toEqual([
      { feed: 'household_register', ...perfect, valid_id: 0.5, linked: 0.5, corrections_on_time: null },
      { feed: 'residence_registration', ...perfect, agreement: 0, corrections_on_time: null },
      ...['school_enrolment', 'social_insurance'].map((feed) => ({
        ...{ feed, timeliness: 0, acceptance: null, valid_id: null, linked: null, agreement: null },
        corrections_on_time: null,
      })),
    ]);
  });

  test('what comes after the first night of its date is late', async () => {
    await county.night(TONIGHT, ['household_register']);
    await county.send('household_register', TONIGHT, [register('H1')]);
    expect(await scorecard(TONIGHT)).toMatchObject([
      { feed: 'household_register', timeliness: 0, acceptance: 1 },
    ]);
  });

  test('what came in time and was held stays in time when it is released later', async () => {
    const rows = Array.from({ length: 10 }, (_, index) => register(`H${index}`));
    await county.send('household_register', TONIGHT, rows);
    await county.deliver('household_register', TOMORROW, rows.slice(5));
    const { deliveries } = await county.night(TOMORROW, ['household_register']);
    const [held] = deliveries;
    if (held?.status !== 'held') throw new Error('half of the rows are missing: the delivery is held');
    await county.decide(held, 'release');
    expect(await scorecard(TOMORROW)).toMatchObject([
      { feed: 'household_register', timeliness: 1, acceptance: 1 },
    ]);
  });

  test('of a date on which nothing changed says what stood before, and is not written', async () => {
    await county.send('household_register', TONIGHT, [register('H1')]);
    await county.send('household_register', TOMORROW, [register('H1')]);
    expect(await scorecard(TOMORROW)).toMatchObject([{ feed: 'household_register', valid_id: 1, linked: 1 }]);
    expect(await county.query('SELECT as_of FROM population.feed_quality')).toEqual([{ as_of: TONIGHT }]);
  });
});

describe('the shipped sample', () => {
  test('its figures of the first night are near its truth', { timeout: 240_000 }, async () => {
    await publishOnly('P01', 'P02', 'S01', 'S04', 'S09', 'V01', 'V02', 'B02');
    county.drop = 'demo/deliveries';
    const report = await county.night('2026-11-18', []);
    expect(report).not.toHaveProperty('failed_indicators');
    const rows = await county.query<{ code: string; value: number }>(
      'SELECT code, value FROM population.indicator_value WHERE division = $1',
      [COUNTY],
    );
    const value = (code: string): number => rows.find((row) => row.code === code)?.value ?? Number.NaN;
    const truth = await readTruth();
    const within = (code: string, expected: number, percent: number): void =>
      expect(
        Math.abs(value(code) / expected - 1) * 100,
        `${code} ${value(code)} for ${expected}`,
      ).toBeLessThan(percent);
    within('P01', truth.registered, 5);
    within('P02', truth.residents, 3);
    within('S01', truth.sexRatio, 5);
    within('S04', truth.aged60, 5);
    within('S09', truth.medianAge, 3);
    within('V01', truth.births, 20);
    expect(value('V02')).toBeGreaterThan(5);
    expect(value('V02')).toBeLessThan(10);
    expect(value('B02')).toBeGreaterThan(85);
  });
});

/** Of the county that the sample was invented from, after its last night. */
async function readTruth() {
  const text = await readFile('demo/truth/persons.tsv', 'utf8');
  const alive = text
    .trimEnd()
    .split('\n')
    .slice(1)
    .map((line) => line.split('\t'))
    .filter((row) => row[7] === '1')
    .map(([, , , sex = '', birth = '', registered, here]) => ({
      sex,
      birth,
      registered: registered === '1',
      here: here === '1',
    }));
  const residents = alive.filter(({ here }) => here);
  const share = (holds: (person: (typeof residents)[number]) => boolean): number =>
    residents.filter(holds).length / residents.length;
  const births = residents.map(({ birth }) => birth).toSorted();
  const median = births[Math.floor(births.length / 2)] ?? '';
  return {
    registered: alive.filter(({ registered }) => registered).length,
    residents: residents.length,
    sexRatio: (100 * share(({ sex }) => sex === '1')) / share(({ sex }) => sex === '2'),
    aged60: 100 * share(({ birth }) => birth <= '19661118'),
    medianAge: 2026 + 11 / 12 - Number(median.slice(0, 4)) - Number(median.slice(4, 6)) / 12,
    births: 1000 * share(({ birth }) => birth > '20251118'),
  };
}
