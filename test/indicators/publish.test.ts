import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { sql, type Transaction } from 'kysely';
import { describe, expect, test } from 'vitest';
import {
  type Indicator,
  loadIndicators,
  parseIndicator,
} from '../../src/population/indicators/indicator-file.ts';
import { publishIndicators } from '../../src/population/indicators/publish.ts';
import type { DB } from '../../src/schema/database.ts';
import { toRunId } from '../../src/schema/ids.ts';
import { COUNTY, SECOND, THIRD, TOWN, useSmallCounty, VILLAGE } from './small-county.ts';

const here = useSmallCounty();

/** Publishes the shipped indicators of these codes, as they are. @returns what failed, and how many rows were written */
async function publish(codes: readonly string[], more: readonly Indicator[] = []) {
  const indicators = (await loadIndicators('config/indicators')).filter(({ indicator }) =>
    codes.includes(indicator),
  );
  return here.county.warehouse.db.transaction().execute(async (tx) => {
    const before = await writtenBy(tx);
    const failures = await publishIndicators(tx, toRunId(2), {
      indicators: [...indicators, ...more],
      county: '620802',
      leastPersons: 10,
    });
    return { failures, written: (await writtenBy(tx)) - before };
  });
}

/** What the session has written and not yet told to the server's statistics. */
async function writtenBy(tx: Transaction<DB>): Promise<number> {
  const { rows } = await sql<{ written: number }>`
    SELECT coalesce(sum(n_tup_ins + n_tup_upd + n_tup_del), 0)::integer AS written
    FROM pg_stat_xact_user_tables WHERE schemaname = 'population'`.execute(tx);
  return rows[0]?.written ?? 0;
}

/** What a reader sees of an indicator: division → value, or null. */
async function seen(code: string): Promise<Record<string, number | null>> {
  return here.county.warehouse.db.transaction().execute(async (tx) => {
    await sql`SET LOCAL ROLE popshare_reader`.execute(tx);
    const { rows } = await sql<{ division: string; value: number | null; suppressed: boolean }>`
      SELECT division, value, numerator, denominator, suppressed FROM reporting.indicator WHERE code = ${code}`.execute(
      tx,
    );
    for (const row of rows) expect(row.value === null).toBe(row.suppressed);
    return Object.fromEntries(rows.map(({ division, value }) => [division, value]));
  });
}

describe('what readers see', () => {
  test('no number under the limit, and not what it could be computed from', async () => {
    await here.persons(40);
    await here.persons(8, { village: SECOND });
    await here.persons(15, { village: '620802001003' });
    await here.persons(30, { village: THIRD });
    await publish(['P02']);
    expect(await here.figures('P02')).toMatchObject({ [SECOND]: [8, null, null] });
    expect(await seen('P02')).toEqual({
      [COUNTY]: 93,
      [TOWN]: 63,
      [VILLAGE]: 40,
      [SECOND]: null,
      '620802001003': null,
      '620802002000': 30,
      [THIRD]: 30,
    });
  });

  test('a share is hidden when those who are in it, or those who are not, are few', async () => {
    await here.persons(91);
    await here.persons(9, { category: 'separated' });
    await here.persons(50, { village: SECOND });
    await here.persons(50, { village: SECOND, category: 'in_migrant' });
    await publish(['P01', 'P02', 'P03', 'P05']);
    expect((await seen('P05'))[VILLAGE]).toBeNull();
    // With P05 goes what it could be told from, and the other village of the township.
    expect((await seen('P03'))[SECOND]).toBeNull();
    expect((await seen('P02'))[VILLAGE]).toBe(100);
  });

  test('what is a part of the residents is hidden where these are', async () => {
    await here.persons(40);
    await here.persons(8, { village: SECOND });
    await here.persons(9, { sex: '2', village: SECOND });
    await here.persons(60, { sex: '2' });
    await publish(['P02', 'S01']);
    expect(await seen('P02')).toMatchObject({ [VILLAGE]: 100, [SECOND]: 17 });
    expect(await seen('S01')).toMatchObject({ [VILLAGE]: null, [SECOND]: null });
  });

  test('a share of nobody is not told either', async () => {
    await here.persons(20);
    await publish(['P03', 'P06', 'P01', 'P02']);
    expect(await here.figures('P06')).toMatchObject({ [COUNTY]: [null, 0, 0] });
    expect((await seen('P06'))[COUNTY]).toBeNull();
  });

  test('readers read no true figure', async () => {
    await publish(['P02']);
    const read = here.county.warehouse.db.transaction().execute(async (tx) => {
      await sql`SET LOCAL ROLE popshare_reader`.execute(tx);
      await sql`SELECT * FROM population.indicator_value`.execute(tx);
    });
    await expect(read).rejects.toThrow(/permission denied/);
  });
});

describe('what is written', () => {
  const CODES = ['P01', 'P02', 'S01', 'S12', 'V01', 'Q01'];

  test('nothing, when nothing has changed', async () => {
    await here.persons(20);
    expect((await publish(CODES)).written).toBeGreaterThan(0);
    expect((await publish(CODES)).written).toBe(0);
  });

  test('of what has changed, the figures that are others', async () => {
    await here.persons(20);
    await publish(['P01', 'P02']);
    await here.person({ category: 'in_migrant' });
    // P02 of the county, the township and the village.
    expect((await publish(['P01', 'P02'])).written).toBe(3);
  });

  test('a new month keeps the last figures of the one before', async () => {
    await here.persons(20);
    await publish(['P02']);
    await here.county.query(`UPDATE population.state SET as_of = '2026-12-01'`);
    await here.person();
    await publish(['P02']);
    expect(
      await here.county.query(
        `SELECT period, as_of, value FROM reporting.indicator WHERE division = $1 ORDER BY period`,
        [COUNTY],
      ),
    ).toEqual([
      { period: '2026-11', as_of: '2026-11-18', value: 20 },
      { period: '2026-12', as_of: '2026-12-01', value: 21 },
    ]);
  });

  test('a later night of the month says its date of figures that it did not have to write', async () => {
    await here.persons(20);
    await publish(['P02']);
    await here.county.query(`UPDATE population.state SET as_of = '2026-11-20'`);
    await publish(['P02']);
    expect(await here.county.query('SELECT DISTINCT as_of FROM reporting.indicator')).toEqual([
      { as_of: '2026-11-20' },
    ]);
  });

  test('a division in which nobody is left loses its figures', async () => {
    await here.persons(20);
    const last = await here.person({ village: THIRD });
    await publish(['P02']);
    await here.county.query('DELETE FROM population.residence WHERE person_id = $1', [last]);
    await publish(['P02']);
    expect(Object.keys(await here.figures('P02'))).toEqual([COUNTY, TOWN, VILLAGE]);
  });
});

describe('what cannot be computed', () => {
  test('an indicator whose feeds have never come has no figure, and says which they are', async () => {
    await here.persons(20);
    await here.knows('household_register', 'residence_registration', 'social_insurance', 'school_enrolment');
    await publish(['P01', 'P02', 'V01']);
    expect(await here.figures('P01')).toMatchObject({ [COUNTY]: [20, null, null] });
    expect(await here.figures('P02')).toEqual({});
    expect(await here.county.query('SELECT code, feeds FROM population.indicator_gap ORDER BY code')).toEqual(
      [
        { code: 'P02', feeds: ['housing_lease'] },
        { code: 'V01', feeds: ['housing_lease', 'birth_certificate'] },
      ],
    );
  });

  test('and has one when they have come', async () => {
    await here.persons(20);
    await here.knows('household_register');
    await publish(['P02']);
    await here.knows(
      ...['household_register', 'residence_registration', 'social_insurance', 'school_enrolment'],
      'housing_lease',
    );
    await publish(['P02']);
    expect(await here.figures('P02')).toMatchObject({ [COUNTY]: [20, null, null] });
    expect(await here.county.query('SELECT FROM population.indicator_gap')).toEqual([]);
  });

  test('before the first picture there is nothing to publish', async () => {
    await here.county.query('UPDATE population.state SET as_of = NULL');
    expect(await publish(['P02'])).toEqual({ failures: [], written: 0 });
  });

  test('a SELECT that fails names its file, keeps its figures, and leaves the others alone', async () => {
    await here.persons(20);
    await publish(['P01', 'P02']);
    await here.person();
    const broken = (await loadIndicators('config/indicators'))
      .filter(({ indicator }) => indicator === 'P01')
      .map((indicator) => ({ ...indicator, select: 'SELECT nothing FROM inhabitants' }));
    const { failures } = await publish(['P02'], broken);
    expect(failures).toEqual([expect.stringMatching(/P01-registered-population\.sql: .*nothing/)]);
    expect((await here.figures('P01'))[COUNTY]).toEqual([20, null, null]);
    expect((await here.figures('P02'))[COUNTY]).toEqual([21, null, null]);
  });
});

describe('a file', () => {
  const header = `indicator: P99
title: { zh: 名, en: Name }
formula: x
unit: "%"
period: day
feeds: [residents]
form: count`;
  const file = (text: string, select = 'SELECT 1') => `/*\n${text}\n*/\n${select}\n`;

  test('`residents` stands for the feeds that tell who lives here', () => {
    expect(parseIndicator(file(header), 'P99-x.sql').feeds).toContain('housing_lease');
  });

  test.each([
    ['a code that is none', header.replace('P99', 'P9'), /P99-x\.sql:2: indicator: expected a code/],
    [
      'a feed that is none',
      header.replace('residents', 'weather'),
      /P99-x\.sql:7: feeds\.0: expected a feed/,
    ],
    ['a form that is none', header.replace('count', 'guess'), /P99-x\.sql:8: form/],
    ['a key that is none', `${header}\nsecret: 1`, /secret/],
  ])('%s is refused with file and line', (_what, text, message) => {
    expect(() => parseIndicator(file(text), 'P99-x.sql')).toThrow(message);
  });

  test('the shipped ones tell of no block that is within itself, and one that is so is refused', async () => {
    const folder = await mkdtemp(path.join(tmpdir(), 'popshare-indicators-'));
    try {
      for (const [code, within] of [
        ['P98', 'P99'],
        ['P99', 'P98'],
      ] as const)
        await writeFile(
          path.join(folder, `${code}-x.sql`),
          file(`${header.replace('P99', code)}\nwithin: [${within}]`),
        );
      await expect(loadIndicators(folder)).rejects.toThrow(/P98-x\.sql:2: P98 is within itself/);
      await writeFile(path.join(folder, 'P98-x.sql'), file(`${header.replace('P99', 'P98')}\nblock: P97`));
      await expect(loadIndicators(folder)).rejects.toThrow(/there is no indicator P97/);
    } finally {
      await rm(folder, { recursive: true });
    }
  });

  test('a parameter that is none is refused', () => {
    expect(() => parseIndicator(file(header, 'SELECT :nothing'), 'P99-x.sql')).toThrow(
      /:nothing is no parameter/,
    );
  });
});
