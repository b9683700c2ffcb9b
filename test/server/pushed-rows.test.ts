import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, readdir, rm, utimes, writeFile } from 'node:fs/promises';
import { request as httpRequest } from 'node:http';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { loadRules } from '../../src/anomalies/rule-file.ts';
import { landPushed } from '../../src/ingest/push/land-pushed.ts';
import { exportRejectedRows } from '../../src/ingest/rejected-rows.ts';
import type { NightlyReport } from '../../src/jobs/nightly.ts';
import { openRun } from '../../src/jobs/run.ts';
import { loadConfiguration } from '../../src/schema/configuration/load.ts';
import { death, fileOf, type Row } from '../support/drop.ts';
import { partOfNight } from '../support/part-of-night.ts';
import { type Answer, type Client, useApi } from './api.ts';

const api = useApi({ empty: true });
const configuration = await loadConfiguration('config');
const NDJSON = 'application/x-ndjson';

let drop = '';
let civilAffairs: Client;
let keys = 0;

beforeAll(async () => {
  drop = await mkdtemp(path.join(tmpdir(), 'popshare-drop-'));
});
afterAll(() => rm(drop, { recursive: true, force: true }));
beforeEach(async () => {
  await rm(path.join(api.dataFolder, 'landing'), { recursive: true, force: true });
  await api.query(`
    TRUNCATE ops.push, ops.delivery, ops.rejected_row, ops.gate_finding, ops.delivery_decision, ops.feed_state,
      registry.death_registration, registry.death_registration_history, registry.village_report,
      registry.village_report_history, registry.sole_trader, identity.mention, anomalies.anomaly CASCADE`);
  civilAffairs = await api.as({ role: 'department', department: 'civil-affairs' });
});

const bindingOf = (feed: string) => {
  const binding = configuration.bindings.find((candidate) => candidate.feed === feed);
  if (binding === undefined) throw new Error(`no binding for ${feed}`);
  return binding;
};

/** A row under the names that the source has for its columns. */
function sent(feed: string, row: Row): Record<string, unknown> {
  const { columns } = bindingOf(feed);
  return Object.fromEntries(Object.entries(row).map(([field, value]) => [columns[field] ?? field, value]));
}

const deaths = (...rows: Row[]): Record<string, unknown>[] =>
  rows.map((row) => sent('death_registration', row));
const asLines = (rows: readonly unknown[]): Buffer =>
  Buffer.from(rows.map((row) => `${JSON.stringify(row)}\n`).join(''));

/** Pushes bytes as they are, or an array. */
function push(
  client: Client,
  feed: string,
  body: Buffer | readonly unknown[],
  { key = `key-${++keys}`, type = 'application/json' } = {},
): Promise<Answer> {
  return client.request('POST', `/api/feeds/${feed}/rows`, {
    body: Buffer.isBuffer(body) ? body : Buffer.from(JSON.stringify(body)),
    headers: { 'content-type': type, 'idempotency-key': key },
  });
}

async function night(
  date: string,
  feed = 'death_registration',
  purpose: 'nightly' | 'release' = 'nightly',
): Promise<NightlyReport> {
  return partOfNight(
    {
      warehouse: api.warehouse,
      configuration,
      rules: (await loadRules('config/rules')).filter(({ rule }) => rule === 'FD08'),
      dataFolder: api.dataFolder,
      dropFolder: purpose === 'nightly' ? drop : null,
      businessDate: date,
      purpose,
      feeds: [feed],
      progress: { stepBegan() {}, stepEnded() {}, rows() {} },
    },
    ['ingest', 'detect'],
  );
}

/** Puts a file of the feed into the drop, with its control file. */
async function putFile(feed: string, date: string, rows: readonly Row[]): Promise<void> {
  const binding = bindingOf(feed);
  const bytes = fileOf(binding, rows);
  const base = path.join(drop, binding.contract.department, `${feed}_${date.replaceAll('-', '')}`);
  await mkdir(path.dirname(base), { recursive: true });
  await writeFile(`${base}.${binding.format}`, bytes);
  const sha256 = createHash('sha256').update(bytes).digest('hex');
  await writeFile(`${base}.ctl.json`, JSON.stringify({ feed, rows: rows.length, sha256 }));
}

const names = async (feed = 'death_registration', field = 'name'): Promise<Record<string, string>> => {
  const rows = await api.query<{ key: string; value: string }>(
    `SELECT source_key AS key, ${field}::text AS value FROM registry.${feed} ORDER BY 1`,
  );
  return Object.fromEntries(rows.map(({ key, value }) => [key, value]));
};
const deliveries = (): Promise<Record<string, unknown>[]> =>
  api.query('SELECT status, received, accepted, rejected, new FROM ops.delivery ORDER BY sequence');
const stored = async (feed = 'death_registration'): Promise<string[]> =>
  readdir(path.join(api.dataFolder, 'landing', feed, 'pushed')).catch(() => []);
const pushes = (): Promise<{ pushes: number }[]> => api.query('SELECT count(*) AS pushes FROM ops.push');
const logged = (client: Client): Promise<Record<string, unknown>[]> =>
  api.query(
    `SELECT action, subject, detail FROM audit.entry WHERE actor = $1 AND action = 'push' ORDER BY entry_id`,
    [client.name],
  );

const WANG = death('A', '王强', '10 08:00:00');
const LI = death('B', '李娜', '10 08:00:00');

describe('what is pushed goes the way of files', () => {
  test('it is a delivery of the next night: judged by the contract, kept apart when refused, in the log', async () => {
    const good = Array.from({ length: 20 }, (_, at) =>
      death(`K${at}`, `王${at}`, '10 08:00:00', { name: '王强' }),
    );
    const answer = await push(
      civilAffairs,
      'death_registration',
      deaths(...good, death('X', '李娜', '10 08:00:00', { died_on: 'soon' })),
    );
    expect(answer).toMatchObject({
      status: 202,
      body: {
        push_id: expect.any(Number),
        feed: 'death_registration',
        rows: 21,
        sha256: expect.stringMatching(/^[0-9a-f]{64}$/),
        received_at: expect.stringMatching(/Z$/),
      },
    });
    expect(await names()).toEqual({});
    expect(await logged(civilAffairs)).toEqual([
      {
        action: 'push',
        subject: 'feed death_registration',
        detail: { push_id: answer.at('push_id'), rows: 21 },
      },
    ]);

    const report = await night('2026-11-18');
    expect(report.deliveries).toMatchObject([
      { status: 'applied', received: 21, accepted: 20, rejected: 1, new: 20 },
    ]);
    expect(Object.keys(await names())).toHaveLength(20);
    expect(await stored()).toEqual([]);
    expect(await night('2026-11-19')).toMatchObject({ deliveries: [{ status: 'missing' }] });

    const [rejected, reasons] = await exportRejectedRows(api.warehouse, bindingOf('death_registration'));
    expect(rejected?.bytes.toString()).toContain('火化编号,');
    expect(rejected?.bytes.toString()).toContain('X,');
    expect(reasons?.rows).toBe(1);
  });

  test('gates hold it, until somebody releases it', async () => {
    await push(civilAffairs, 'death_registration', deaths(WANG, { ...LI, died_on: 'soon' }));
    expect((await night('2026-11-18')).deliveries).toMatchObject([
      { status: 'held', received: 2, rejected: 1 },
    ]);
    expect(await names()).toEqual({});
    await api.query(`UPDATE ops.delivery SET status = 'landed', released = true`);
    expect((await night('2026-11-18', 'death_registration', 'release')).deliveries).toMatchObject([
      { status: 'applied' },
    ]);
    expect(await names()).toEqual({ A: '王强' });
  });

  test('each push of a day is a delivery of its own, in the order in which they came', async () => {
    const villages = await api.as({ role: 'department', department: 'villages' });
    const event = { village: '620802001001', report_period: '202611', item_number: '1', name: '王强' };
    const report = (remarks: string) => [
      sent('village_report', { ...event, event: '迁入', event_on: '20261101', remarks }),
    ];
    for (const remarks of ['甲', '乙', '甲'])
      expect((await push(villages, 'village_report', report(remarks))).status).toBe(202);
    const { deliveries: told } = await night('2026-11-18', 'village_report');
    expect(told.map(({ status, new: added, changed }) => [status, added, changed])).toEqual([
      ['applied', 0, 1],
      ['applied', 0, 1],
      ['applied', 1, 0],
    ]);
    expect(await names('village_report', 'remarks')).toEqual({ '620802001001|202611|1': '甲' });
  });

  test('a file and a push of one date answer for nothing of each other, and the report has both', async () => {
    await push(civilAffairs, 'death_registration', deaths({ ...WANG, died_on: 'soon' }));
    await putFile('death_registration', '2026-11-18', [LI]);
    expect((await night('2026-11-18')).deliveries.map(({ status }) => status)).toEqual(['applied', 'held']);
    await push(civilAffairs, 'death_registration', deaths(death('C', '赵敏', '10 08:00:00')));
    expect((await night('2026-11-18')).deliveries.map(({ status }) => status)).toEqual(['applied', 'held']);
    expect((await deliveries()).map(({ status }) => status)).toEqual(['held', 'applied', 'applied']);
    expect(await names()).toEqual({ B: '李娜', C: '赵敏' });
    expect(
      await api.query(
        `SELECT evidence ->> 'rejected' AS rejected FROM anomalies.anomaly WHERE rule = 'FD08' AND status = 'new'`,
      ),
    ).toEqual([{ rejected: '1' }]);
    await rm(path.join(drop, 'civil-affairs'), { recursive: true });
  });

  test('a run of a day that is past takes none: the next one that is not does', async () => {
    await push(civilAffairs, 'death_registration', deaths(WANG));
    await night('2026-11-18');
    await push(civilAffairs, 'death_registration', deaths(LI));
    await night('2026-11-17');
    expect(await names()).toEqual({ A: '王强' });
    await night('2026-11-19');
    expect(await names()).toEqual({ A: '王强', B: '李娜' });
  });

  test('digits stay as they were sent, in arrays and in lines, and so do blank lines and marks of editors', async () => {
    const market = await api.as({ role: 'department', department: 'market-supervision' });
    const trader = (key: string, number: string) =>
      `{"registration_no":"${key}","operator_id_number":${number},"operator_name":"王强","status":"active","updated_at":"2026-11-10 08:00:00"}`;
    const array = `\ufeff[${trader('A', '620802198001010017')}, ${trader('B', '620802198001010018')}]`;
    expect((await push(market, 'sole_trader', Buffer.from(array))).at('rows')).toBe(2);
    const lines = `\ufeff${trader('C', '620802198001010019')}\r\n\n  \n${trader('D', 'null')}`;
    expect((await push(market, 'sole_trader', Buffer.from(lines), { type: NDJSON })).at('rows')).toBe(2);
    const { deliveries: told } = await night('2026-11-18', 'sole_trader');
    expect(told.map(({ status, received }) => [status, received])).toEqual([
      ['applied', 2],
      ['applied', 2],
    ]);
    expect(await names('sole_trader', 'operator_id_number')).toEqual({
      ...{ A: '620802198001010017', B: '620802198001010018', C: '620802198001010019', D: null },
    });
  });

  test('what is lost with its disk is refused, and the night goes on', async () => {
    await push(civilAffairs, 'death_registration', deaths(WANG));
    await rm(path.join(api.dataFolder, 'landing'), { recursive: true });
    await push(civilAffairs, 'death_registration', deaths(LI));
    const { deliveries: told } = await night('2026-11-18');
    expect(told.map(({ status }) => status)).toEqual(['applied', 'refused']);
    expect(await names()).toEqual({ B: '李娜' });
  });

  test('bytes that changed on the disk are held by their control totals', async () => {
    await push(civilAffairs, 'death_registration', deaths(WANG));
    const [file = ''] = await stored();
    await writeFile(
      path.join(api.dataFolder, 'landing/death_registration/pushed', file),
      asLines(deaths(LI)),
    );
    expect((await night('2026-11-18')).deliveries).toMatchObject([
      { status: 'held', reason: expect.stringContaining('FD05') },
    ]);
  });

  test('what a process that died has left is deleted a day later', async () => {
    await push(civilAffairs, 'death_registration', deaths(WANG));
    const folder = path.join(api.dataFolder, 'landing/death_registration/pushed');
    const [waiting = ''] = await stored();
    for (const [name, age] of [
      ['push-old.jsonl', 2],
      ['push-new.jsonl.part', 0],
      [waiting, 2],
    ] as const) {
      if (name !== waiting) await writeFile(path.join(folder, name), '');
      const at = Date.now() / 1000 - age * 86_400;
      await utimes(path.join(folder, name), at, at);
    }
    // The feed has come further: this run lands nothing.
    await api.query(
      `INSERT INTO ops.run (business_date, purpose, status) VALUES ('2026-11-20', 'nightly', 'done')`,
    );
    await api.query(`
      WITH applied AS (
        INSERT INTO ops.delivery (feed, department, business_date, sequence, run_id, status)
        SELECT 'death_registration', 'civil-affairs', '2026-11-20', 1, max(run_id), 'unchanged' FROM ops.run
        RETURNING delivery_id)
      INSERT INTO ops.feed_state (feed, delivery_id, business_date, sha256, received)
      SELECT 'death_registration', delivery_id, '2026-11-20', '', 0 FROM applied`);
    await night('2026-11-18');
    expect((await stored()).sort()).toEqual([waiting, 'push-new.jsonl.part'].sort());
  });
});

describe('a push is taken once', () => {
  test('again with its key and its body it is answered the same, also after the night', async () => {
    const first = await push(civilAffairs, 'death_registration', deaths(WANG), { key: 'day-1' });
    const again = await push(civilAffairs, 'death_registration', deaths(WANG), { key: 'day-1' });
    expect(await stored()).toHaveLength(1);
    await night('2026-11-18');
    const afterwards = await push(civilAffairs, 'death_registration', deaths(WANG), { key: 'day-1' });
    for (const answer of [again, afterwards]) expect([answer.status, answer.body]).toEqual([202, first.body]);
    expect(await stored()).toEqual([]);
    expect(await pushes()).toEqual([{ pushes: 1 }]);
    expect(await logged(civilAffairs)).toHaveLength(1);
    await night('2026-11-19');
    expect((await deliveries()).map(({ status }) => status)).toEqual(['applied', 'missing']);
  });

  test('two workers at the same step land it once', async () => {
    for (let at = 0; at < 10; at++)
      await push(civilAffairs, 'death_registration', deaths(death(`K${at}`, '王强', '10 08:00:00')));
    const run = await openRun(api.warehouse, '2026-11-18', 'nightly');
    const context = {
      ...{ warehouse: api.warehouse, configuration, dataFolder: api.dataFolder, businessDate: '2026-11-18' },
      ...{ runId: run.runId, onRows() {} },
    };
    const binding = bindingOf('death_registration');
    await Promise.all([landPushed(context, binding), landPushed(context, binding)]);
    await run.close('done', null);
    expect((await deliveries()).map(({ status }) => status)).toEqual(
      Array.from({ length: 10 }, () => 'landed'),
    );
    expect(await stored()).toEqual([]);
  });

  test('many at the same time are one', async () => {
    const answers = await Promise.all(
      Array.from({ length: 12 }, () =>
        push(civilAffairs, 'death_registration', deaths(WANG, LI), { key: 'same' }),
      ),
    );
    expect(new Set(answers.map(({ status, text }) => `${status} ${text}`)).size).toBe(1);
    expect(answers[0]?.status).toBe(202);
    expect(await pushes()).toEqual([{ pushes: 1 }]);
    expect(await stored()).toHaveLength(1);
    expect(await logged(civilAffairs)).toHaveLength(1);
  });

  test('with another body it is refused, and what came first stays', async () => {
    await push(civilAffairs, 'death_registration', deaths(WANG), { key: 'same' });
    const other = await push(civilAffairs, 'death_registration', deaths(LI), { key: 'same' });
    expect(other).toMatchObject({ status: 422, body: { code: 'IDEMPOTENCY_KEY' } });
    expect(await stored()).toHaveLength(1);
    await night('2026-11-18');
    expect(await names()).toEqual({ A: '王强' });
  });

  test('a key is of one feed, and of nobody who was refused under it', async () => {
    const refused = await push(civilAffairs, 'death_registration', [], { key: 'same' });
    expect(refused.status).toBe(422);
    expect((await push(civilAffairs, 'death_registration', deaths(WANG), { key: 'same' })).status).toBe(202);
    const married = [sent('marriage_registration', { certificate_number: '1' })];
    const other = await push(civilAffairs, 'marriage_registration', married, { key: 'same' });
    expect(other.at('code')).not.toBe('IDEMPOTENCY_KEY');
  });

  test('keys are kept as digests', async () => {
    await push(civilAffairs, 'death_registration', deaths(WANG), { key: '620802198001010017' });
    const [row] = await api.query<object>('SELECT * FROM ops.push');
    expect(JSON.stringify(row)).not.toContain('620802198001010017');
  });
});

const row = JSON.stringify(deaths(WANG)[0]);

describe('what cannot be taken is refused whole', () => {
  test.each([
    ['no JSON', '[{"火化编号":', 'application/json', 422, 'ROWS_UNREADABLE'],
    ['one object', row, 'application/json', 422, 'ROWS_UNREADABLE'],
    ['an array with a number in it', `[${row}, 1]`, 'application/json', 422, 'ROWS_UNREADABLE'],
    ['a row with a list in it', '[{"姓名":["王强"]}]', 'application/json', 422, 'ROWS_UNREADABLE'],
    ['a column that nobody knows', `[${row}, {"名字":"王强"}]`, 'application/json', 422, 'ROWS_COLUMNS'],
    ['a name that all objects have', '[{"__proto__":"x"}]', 'application/json', 422, 'ROWS_COLUMNS'],
    ['an array without rows', '[]', 'application/json', 422, 'ROWS_EMPTY'],
    ['no lines', ' \n\n', NDJSON, 422, 'ROWS_EMPTY'],
    ['an array as lines', `[${row}]`, NDJSON, 422, 'ROWS_UNREADABLE'],
    ['a line that is cut off', `${row}\n{"姓名":"王`, NDJSON, 422, 'ROWS_UNREADABLE'],
    ['a line with a column that nobody knows', `${row}\n{"名字":"王强"}\n`, NDJSON, 422, 'ROWS_COLUMNS'],
    [
      'a line of more than a mebibyte',
      `${row}\n{"姓名":"${'王'.repeat(400_000)}"}\n`,
      NDJSON,
      413,
      'SOURCE_TOO_LARGE',
    ],
    [
      'an array that is too long',
      `[${row}${' '.repeat(8 * 1024 * 1024)}]`,
      'application/json',
      413,
      'SOURCE_TOO_LARGE',
    ],
    ['text', row, 'text/plain', 415, 'REQUEST_INVALID'],
  ])('%s', async (_what, body, type, status, code) => {
    const answer = await push(civilAffairs, 'death_registration', Buffer.from(body), { type });
    expect(answer).toMatchObject({ status, body: { code, status, todo: expect.any(String) } });
    expect(answer.headers['content-type']).toContain('application/problem+json');
    expect(await stored()).toEqual([]);
    expect(await pushes()).toEqual([{ pushes: 0 }]);
    expect(await logged(civilAffairs)).toEqual([]);
  });

  test('bytes that are not UTF-8', async () => {
    const answer = await push(civilAffairs, 'death_registration', Buffer.from([0x5b, 0xcd, 0xf5, 0x5d]));
    expect(answer).toMatchObject({ status: 422, body: { code: 'ROWS_UNREADABLE' } });
  });

  test('the line is named, and what is expected', async () => {
    const body = Buffer.from(`${row}\n\n{"名字":"王强"}\n`);
    const answer = await push(civilAffairs, 'death_registration', body, { type: NDJSON });
    expect(answer.at('detail')).toMatch(/^line 3 has “名字”; expected 火化编号, /);
  });

  test.each([
    ['without a key', {}],
    ['with an empty key', { 'idempotency-key': '' }],
    ['with a key that is too long', { 'idempotency-key': 'k'.repeat(256) }],
  ])('%s', async (_what, headers) => {
    const answer = await civilAffairs.request('POST', '/api/feeds/death_registration/rows', {
      body: Buffer.from(`[${row}]`),
      headers: { 'content-type': 'application/json', ...headers },
    });
    expect(answer).toMatchObject({ status: 400, body: { code: 'REQUEST_INVALID' } });
    expect(answer.text).toContain('idempotency-key');
  });

  test('a body that breaks off, of a sender who is gone', async () => {
    const url = new URL(await api.server.listen({ host: '127.0.0.1', port: 0 }));
    const asking = httpRequest({
      ...{ host: url.hostname, port: url.port, method: 'POST', path: '/api/feeds/death_registration/rows' },
      headers: {
        ...{ 'content-type': NDJSON, 'content-length': 1_000_000 },
        ...{ 'idempotency-key': 'broken', authorization: `Bearer ${civilAffairs.token}` },
      },
    });
    asking.on('error', () => {});
    asking.write(`${row}\n`);
    await expect.poll(() => stored()).toHaveLength(1);
    asking.destroy();
    await expect.poll(() => stored()).toEqual([]);
    expect(await pushes()).toEqual([{ pushes: 0 }]);
  });
});

describe('who may push', () => {
  test('a department, to its own feeds alone', async () => {
    const housing = await api.as({ role: 'department', department: 'housing' });
    for (const feed of ['death_registration', 'no_such_feed', '..'])
      expect((await push(housing, encodeURIComponent(feed), deaths(WANG))).status).toBe(404);
    expect(await pushes()).toEqual([{ pushes: 0 }]);
  });

  test('a token that was revoked, or has expired, no more', async () => {
    for (const ending of ['revoked_at = now()', `expires_at = now() - interval '1 second'`]) {
      const client = await api.as({ role: 'department', department: 'civil-affairs' });
      await api.query(`UPDATE access.service_token SET ${ending} WHERE name = $1`, [
        client.name.replace('token:', ''),
      ]);
      expect((await push(client, 'death_registration', deaths(WANG))).status).toBe(401);
    }
  });

  test('to a snapshot nobody: what is not in it would count as removed', async () => {
    const allowance = [sent('subsistence_allowance', { name: '王强' })];
    expect(await push(civilAffairs, 'subsistence_allowance', allowance)).toMatchObject({
      ...{ status: 409, body: { code: 'FEED_SNAPSHOT' } },
    });
  });
});
