import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, readdir, readFile, symlink, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { parse } from 'csv-parse/sync';
import { asyncBufferFromFile, parquetMetadataAsync, parquetReadObjects } from 'hyparquet';
import pg from 'pg';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { loadRules } from '../../src/anomalies/rule-file.ts';
import { SECOND, useSmallCounty } from '../indicators/small-county.ts';
import { register, TONIGHT, WANG } from '../rules/situation.ts';
import { FULL_VALUE } from '../server/files.ts';
import { inCounty } from './popshare.ts';

const here = useSmallCounty();
const { county } = here;
const popshare = inCounty(county);

/** INTERFACE.md. */
const VIEWS = [
  'anomaly',
  'delivery',
  'indicator',
  'link',
  'person_event',
  'rejected_row',
  'residence',
  'review',
  'run',
  'scorecard',
];

let out = '';
let made: string[] = [];

beforeEach(() => {
  out = path.join(county.base, 'out');
  made = [];
});
afterEach(async () => {
  for (const name of made) await county.query(`DROP VIEW IF EXISTS reporting.${name}`);
});

/** A view that a later step, or the site itself, adds. */
async function addView(name: string, select: string): Promise<void> {
  made.push(name);
  await county.query(`CREATE VIEW reporting.${name} AS ${select}`);
}

const exporting = (format: string, ...more: string[]) =>
  popshare(['export', '--format', format, '--out', out, ...more]);
const inOut = (name: string): string => path.join(out, name);
const textOf = (name: string): Promise<string> => readFile(inOut(name), 'utf8');
const rowsOf = async (name: string): Promise<Record<string, string>[]> =>
  parse(await readFile(inOut(name)), { columns: true });
const names = async (): Promise<string[]> => (await readdir(out)).sort();
const exportsLogged = (): Promise<{ actor: string; subject: string; detail: unknown }[]> =>
  county.query(`SELECT actor, subject, detail FROM audit.entry WHERE action = 'export' ORDER BY entry_id`);

describe('what is exported', () => {
  test('every view that dashboards read, and no other, told as one object and in the log', async () => {
    await addView('of_the_site', 'SELECT 7 AS number');
    await addView('of_nobody', 'SELECT 1 AS one');
    await county.query('REVOKE SELECT ON reporting.of_nobody FROM popshare_reader');
    const { code, stdout } = await exporting('csv', '--json');
    expect(code).toBe(0);
    const told = JSON.parse(stdout);
    const views = [...VIEWS, 'of_the_site'].sort();
    expect(told).toEqual({
      business_date: '2026-11-17',
      manifest: inOut('reporting.csv.manifest.json'),
      views: views.map((view) => ({ view, file: inOut(`${view}.csv`), rows: expect.any(Number) })),
    });
    expect(await names()).toEqual(
      [...views.map((view) => `${view}.csv`), 'reporting.csv.manifest.json'].sort(),
    );
    const rows = Object.fromEntries(
      told.views.map(({ view, rows: count }: Record<string, unknown>) => [view, count]),
    );
    expect(rows).toMatchObject({ run: 1, delivery: 12, link: 0, of_the_site: 1 });
    for (const view of views) expect(await rowsOf(`${view}.csv`)).toHaveLength(rows[view]);
    const user = JSON.parse(await textOf('reporting.csv.manifest.json')).exported_by;
    expect(await exportsLogged()).toEqual([
      {
        actor: user,
        subject: 'views of reporting',
        detail: { format: 'csv', business_date: '2026-11-17', rows },
      },
    ]);
  });

  test('the manifest bears the watermark: who, when, as of which night, how many rows', async () => {
    await exporting('parquet');
    const manifest = JSON.parse(await textOf('reporting.parquet.manifest.json'));
    expect(manifest).toMatchObject({
      watermark: expect.stringMatching(
        new RegExp(
          `^导出人：${manifest.exported_by}　导出时间：\\d{4}-\\d\\d-\\d\\d \\d\\d:\\d\\d　仅限工作使用，不得外传$`,
        ),
      ),
      schema: 'reporting',
      format: 'parquet',
      exported_at: expect.stringMatching(/^\d{4}-\d\d-\d\dT.*Z$/),
      business_date: '2026-11-17',
    });
    expect(manifest.files).toContainEqual({ view: 'delivery', file: 'delivery.parquet', rows: 12 });
    const { key_value_metadata } = await metadataOf('run.parquet');
    expect(key_value_metadata).toEqual([{ key: 'watermark', value: manifest.watermark }]);
  });

  test('figures that are suppressed stay empty', async () => {
    await here.persons(40);
    await here.persons(8, { village: SECOND });
    await here.persons(15, { village: '620802001003' });
    await here.publish('P02');
    await exporting('csv');
    const figures = await rowsOf('indicator.csv');
    expect((await here.figures('P02'))[SECOND]).toEqual([8, null, null]);
    expect(figures.find(({ division }) => division === SECOND)).toMatchObject({
      ...{ value: '', numerator: '', denominator: '', suppressed: 'true' },
    });
    expect(figures.find(({ division }) => division === '620802000000')).toMatchObject({
      ...{ value: '63', suppressed: 'false' },
    });
  });

  test('evidence stays masked', async () => {
    county.rules = (await loadRules('config/rules')).filter(({ rule }) => rule === 'DQ01');
    const wrong = `${WANG.id_number.slice(0, 17)}${WANG.id_number.endsWith('1') ? '2' : '1'}`;
    county.setGates({ fewer_percent: 100 });
    await county.send('household_register', TONIGHT, [register('A', { id_number: wrong })]);
    await exporting('csv');
    const [found, ...more] = await rowsOf('anomaly.csv');
    expect(more).toEqual([]);
    expect(found).toMatchObject({
      rule: 'DQ01',
      source_key: 'A',
      evidence: expect.stringContaining('**********'),
    });
    for (const name of await names()) expect(await textOf(name)).not.toMatch(FULL_VALUE);
  });

  test('everything as of one moment, whatever is committed meanwhile', async () => {
    const { open, ended } = await heldAtGate('csv');
    await county.query(
      `INSERT INTO ops.run (business_date, purpose, status) VALUES ('2026-11-18', 'nightly', 'done')`,
    );
    await open();
    expect(await ended()).toBe(0);
    expect((await rowsOf('run.csv')).map(({ business_date }) => business_date)).toEqual(['2026-11-17']);
  });
});

describe('the forms', () => {
  const AWKWARD = `
    SELECT 1 AS id, NULL::text AS nothing, ''::text AS empty, E'a "b", c\\r\\nd\\n\\\\.'::text AS words, true AS yes,
           '{"b": [1, "x"]}'::jsonb AS json, TIMESTAMPTZ '2026-11-18 02:00:00.123456+08' AS at, DATE '2026-11-18' AS day,
           0.1::double precision AS share, 9007199254740993::bigint AS big, 12.30::numeric(10, 2) AS yuan,
           TIMESTAMP '2026-11-18 02:00:00' AS clock, 'infinity'::date AS never
    UNION ALL
    SELECT 2, '王', '-', '=1+1', false, NULL, NULL, NULL, NULL, NULL, (-0.01)::numeric(10, 2), NULL, NULL`;

  test('CSV is UTF-8 as RFC 4180 has it: records end in CRLF, an empty text is not no value', async () => {
    await addView('awkward', AWKWARD);
    await exporting('csv');
    expect(await textOf('awkward.csv')).toBe(
      'id,nothing,empty,words,yes,json,at,day,share,big,yuan,clock,never\r\n' +
        '1,,"","a ""b"", c\r\nd\n\\.",true,"{""b"": [1, ""x""]}",2026-11-18 02:00:00.123456+08,2026-11-18,0.1,' +
        '9007199254740993,12.30,2026-11-18 02:00:00,infinity\r\n' +
        '2,王,-,=1+1,false,,,,,,-0.01,,\r\n',
    );
  });

  test('Parquet keeps the types, and another reader finds the values', async () => {
    await addView('awkward', AWKWARD);
    await exporting('parquet');
    const { schema } = await metadataOf('awkward.parquet');
    const types = Object.fromEntries(
      schema.slice(1).map(({ name, type, logical_type }) => [name, [type, logical_type?.type]]),
    );
    expect(types).toEqual({
      id: ['INT32', undefined],
      nothing: ['BYTE_ARRAY', 'STRING'],
      empty: ['BYTE_ARRAY', 'STRING'],
      words: ['BYTE_ARRAY', 'STRING'],
      yes: ['BOOLEAN', undefined],
      json: ['BYTE_ARRAY', 'STRING'],
      at: ['INT64', 'TIMESTAMP'],
      day: ['INT32', 'DATE'],
      share: ['DOUBLE', undefined],
      big: ['INT64', undefined],
      yuan: ['INT64', 'DECIMAL'],
      clock: ['INT64', 'TIMESTAMP'],
      never: ['INT32', 'DATE'],
    });
    expect(schema.find(({ name }) => name === 'at')?.logical_type).toMatchObject({
      isAdjustedToUTC: true,
      unit: 'MICROS',
    });
    expect(await parquetOf('awkward.parquet')).toEqual([
      {
        ...{
          id: 1,
          nothing: null,
          empty: '',
          words: 'a "b", c\r\nd\n\\.',
          yes: true,
          json: '{"b": [1, "x"]}',
        },
        ...{ at: new Date('2026-11-17T18:00:00.123Z'), day: new Date('2026-11-18'), share: 0.1 },
        ...{ big: 9007199254740993n, yuan: 12.3, clock: new Date('2026-11-18T02:00:00Z'), never: null },
      },
      {
        ...{ id: 2, nothing: '王', empty: '-', words: '=1+1', yes: false, json: null, at: null, day: null },
        ...{ share: null, big: null, yuan: -0.01, clock: null, never: null },
      },
    ]);
  });

  test('Parquet is written in groups of rows; a view without rows has its columns', async () => {
    await addView('many', `SELECT n, 'row ' || n AS words FROM generate_series(1, 45000) n`);
    await addView('none', 'SELECT 1 AS one, now() AS at WHERE false');
    await exporting('parquet');
    const { row_groups, num_rows } = await metadataOf('many.parquet');
    expect(num_rows).toBe(45_000n);
    expect(row_groups.map((group) => group.num_rows)).toEqual([20_000n, 20_000n, 5_000n]);
    const rows = await parquetOf('many.parquet');
    expect(rows.map(({ n }) => n).toSorted((left, right) => Number(left) - Number(right))).toEqual(
      Array.from({ length: 45_000 }, (_, at) => at + 1),
    );
    expect(rows.every(({ n, words }) => words === `row ${n}`)).toBe(true);
    expect(await parquetOf('none.parquet')).toEqual([]);
    expect((await metadataOf('none.parquet')).schema.map(({ name }) => name)).toEqual(['none', 'one', 'at']);
  });
});

describe('where the files go', () => {
  test('an earlier export of the format is replaced, and files of views that are no more go', async () => {
    await addView('of_the_site', 'SELECT 1 AS number');
    await exporting('csv');
    await exporting('parquet');
    await county.query('DROP VIEW reporting.of_the_site');
    await county.query(
      `INSERT INTO ops.run (business_date, purpose, status) VALUES ('2026-11-18', 'nightly', 'done')`,
    );
    expect(await exporting('csv')).toMatchObject({
      code: 0,
      stdout: `10 views as of 2026-11-18, in ${out}\n`,
    });
    expect(await rowsOf('run.csv')).toHaveLength(2);
    const left = await names();
    expect(left).not.toContain('of_the_site.csv');
    expect(left).toContain('of_the_site.parquet');
  });

  test.each([
    ['a file of somebody else', () => writeFile(inOut('run.csv'), 'mine')],
    ['a link', () => symlink('/dev/null', inOut('run.csv'))],
    ['a folder', () => mkdir(inOut('run.csv'))],
    ['a manifest that is none', () => writeFile(inOut('reporting.csv.manifest.json'), '{"files": 1}')],
  ])('%s with the name of a view stops it, and nothing is written', async (_what, put) => {
    await mkdir(out);
    await put();
    const before = await names();
    const { code, stdout, stderr } = await exporting('csv');
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toMatch(/^OUTPUT_EXISTS: /);
    expect(await names()).toEqual(before);
    expect(await exportsLogged()).toEqual([]);
  });

  test.each(['csv', 'parquet'])(
    'a view of which reading breaks off leaves everything as it was (%s)',
    async (format) => {
      await exporting(format);
      const before = await Promise.all((await names()).map(textOf));
      // The last one, after many rows.
      await addView('z_last', 'SELECT n, 1 / (60000 - n) AS share FROM generate_series(1, 90000) n');
      const { code, stdout, stderr } = await exporting(format);
      expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
      expect(stderr).toContain('division by zero');
      expect(await Promise.all((await names()).map(textOf))).toEqual(before);
      expect(await exportsLogged()).toHaveLength(1);
    },
  );

  test.each(['SIGTERM', 'SIGINT'] as const)('%s in the middle leaves no file', async (signal) => {
    const { child, open, ended } = await heldAtGate('csv');
    child.kill(signal);
    expect(await ended()).toBe(130);
    await open();
    expect(await names()).toEqual([]);
    expect(await exportsLogged()).toEqual([]);
  });

  test('a view whose name would lead out of the folder stops it', async () => {
    await addView('"../outside"', 'SELECT 1 AS one');
    const { code, stderr } = await exporting('csv');
    expect(code).toBe(1);
    expect(stderr).toMatch(/^PATH_OUTSIDE_ROOT: /);
    expect(await names()).toEqual([]);
  });
});

describe('what it asks for', () => {
  test.each([
    ['no format', ['--out', 'x'], /--format/],
    ['another format', ['--out', 'x', '--format', 'xlsx'], /Allowed choices are csv, parquet/],
    [
      'another schema',
      ['--out', 'x', '--format', 'csv', '--schema', 'registry'],
      /Allowed choices are reporting/,
    ],
    ['no folder', ['--format', 'csv'], /--out/],
    ['a folder that cannot be made', ['--format', 'csv', '--out', '/dev/null/x'], /^OUTPUT_FOLDER: /],
  ])('%s is wrong usage', async (_what, args, told) => {
    const { code, stdout, stderr } = await popshare(['export', ...args]);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toMatch(told);
  });

  test('an account that may not take the role of dashboards is told so', async () => {
    const account = `test_${process.pid}_${Date.now()}`;
    await county.query(`CREATE ROLE ${account} LOGIN PASSWORD 'x' IN ROLE pg_read_all_data`);
    try {
      const url = new URL(county.warehouse.url);
      [url.username, url.password] = [account, 'x'];
      const { code, stderr } = await popshare(['export', '--format', 'csv', '--out', out], {
        DATABASE_URL: url.href,
      });
      expect(code).toBe(2);
      expect(stderr).toMatch(/^READER_ROLE: /);
      expect(await names()).toEqual([]);
    } finally {
      await county.query(`DROP ROLE ${account}`);
    }
  });
});

const metadataOf = async (name: string) => parquetMetadataAsync(await asyncBufferFromFile(inOut(name)));
const parquetOf = async (name: string): Promise<Record<string, unknown>[]> =>
  parquetReadObjects({ file: await asyncBufferFromFile(inOut(name)) });

/** Begins an export that has its snapshot and waits in its first view until the gate is opened. */
async function heldAtGate(format: string) {
  await addView('a_gate', `SELECT pg_advisory_xact_lock_shared(4711)::text AS passed`);
  const gate = new pg.Client({ connectionString: county.warehouse.url });
  await gate.connect();
  await gate.query('SELECT pg_advisory_lock(4711)');
  const child = spawn(process.execPath, ['bin/popshare.js', 'export', '--format', format, '--out', out], {
    env: { PATH: process.env['PATH'], DATABASE_URL: county.warehouse.url, POPSHARE_CONFIG: 'config' },
    stdio: 'ignore',
  });
  const closed = once(child, 'close');
  const waiting = (): Promise<object[]> =>
    county.query(`SELECT FROM pg_locks WHERE locktype = 'advisory' AND NOT granted
                  AND database = (SELECT oid FROM pg_database WHERE datname = current_database())`);
  await expect.poll(async () => (await waiting()).length, { timeout: 50_000, interval: 50 }).toBe(1);
  return {
    child,
    open: (): Promise<void> => gate.end(),
    async ended(): Promise<number | null> {
      await closed;
      return child.exitCode;
    },
  };
}
