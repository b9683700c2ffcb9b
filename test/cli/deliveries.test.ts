import { mkdir, readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { beforeEach, describe, expect, test } from 'vitest';
import type { DeliveryReport } from '../../src/jobs/deliveries.ts';
import { death, type Row, title, useCounty } from '../support/drop.ts';
import { inCounty } from './popshare.ts';

const county = useCounty();
const popshare = inCounty(county);
const [FIRST, SECOND] = ['2026-11-18', '2026-11-19'];
const FEED = 'housing_ownership';
const titles = (count: number): Row[] =>
  Array.from({ length: count }, (_, index) => title(`T${index}`, '王强'));

describe('an officer at the command line', () => {
  let held: DeliveryReport;
  let id: string;
  beforeEach(async () => {
    await county.send(FEED, FIRST, titles(20));
    held = await county.send(FEED, SECOND, titles(5));
    id = String(held.delivery_id);
  });

  test('sees what is held', async () => {
    const list = await popshare(['deliveries', 'list', '--status', 'held', '--json']);
    expect(JSON.parse(list.stdout)).toMatchObject({
      deliveries: [{ delivery_id: held.delivery_id, feed: FEED, status: 'held' }],
    });
    const show = await popshare(['deliveries', 'show', id, '--json']);
    expect(JSON.parse(show.stdout)).toMatchObject({
      delivery: { status: 'held' },
      findings: [{ rule: 'FD02', holds: true }],
      decisions: [],
    });
    const status = await popshare(['status', '--json']);
    expect(JSON.parse(status.stdout)).toMatchObject({ waiting: [{ delivery_id: held.delivery_id }] });
    for (const { code } of [list, show, status]) expect(code).toBe(0);
    expect((await popshare(['deliveries', 'list', '--date', SECOND])).stdout).toMatch(
      /housing_ownership +held/,
    );
  });

  test('releases it', async () => {
    const { code, stdout } = await popshare(['deliveries', 'release', id, '--reason', '核实无误', '--json']);
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({
      date: SECOND,
      deliveries: [{ delivery_id: held.delivery_id, status: 'applied', removed: 15 }],
    });
    expect(await county.query('SELECT decision, reason FROM ops.delivery_decision')).toEqual([
      { decision: 'release', reason: '核实无误' },
    ]);
    const again = await popshare(['deliveries', 'release', id, '--reason', '再来']);
    expect(again).toMatchObject({ code: 1, stdout: '', stderr: expect.stringMatching(/^DELIVERY_STATE: /m) });
  });

  test('releases it while a run is at work: the next one takes it up', async () => {
    const other = await county.warehouse.pool.connect();
    await other.query(`SELECT pg_advisory_lock(hashtext('popshare.run')::bigint)`);
    const { code, stdout } = await popshare(['deliveries', 'release', id, '--reason', '核实无误']);
    other.release(true);
    expect({ code, stdout }).toEqual({ code: 0, stdout: expect.stringContaining('next one takes delivery') });
    expect(await county.ingest(FEED, '2026-11-20')).toMatchObject({ status: 'missing' });
    expect(await county.query('SELECT status FROM ops.delivery WHERE delivery_id = $1', [id])).toEqual([
      { status: 'applied' },
    ]);
  });

  test('refuses it', async () => {
    const { code, stdout } = await popshare(['deliveries', 'refuse', id, '--reason', '少传', '--json']);
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ deliveries: [{ status: 'refused', reason: '少传' }] });
  });

  test('replays it: it is held again, which ends with 3', async () => {
    expect(await popshare(['deliveries', 'replay', id, '--reason', '重试'])).toMatchObject({ code: 3 });
  });

  test('asks for one that is not there', async () => {
    const { code, stdout, stderr } = await popshare(['deliveries', 'show', '4711', '--json']);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toMatch(/^DELIVERY_UNKNOWN: there is no delivery 4711/m);
  });
});

test('rejected rows are listed with their reasons, and exported as they were sent', async () => {
  const rows = Array.from({ length: 20 }, (_, index) =>
    death(`D${index}`, index === 7 ? '' : '王强', '01 08:00:00'),
  );
  await county.send('death_registration', FIRST, rows);
  const list = await popshare(['rejects', 'list', '--feed', 'death_registration', '--json']);
  expect(JSON.parse(list.stdout)).toMatchObject({
    rejects: [{ feed: 'death_registration', field: '姓名', code: 'REQUIRED', rows: 1, first_line: 9 }],
  });

  const out = path.join(county.base, 'out');
  expect(await popshare(['rejects', 'export', '--out', out])).toMatchObject({ code: 0 });
  const names = (await readdir(out)).sort();
  expect(names).toEqual([
    expect.stringMatching(/^death_registration_20261118_\d+_reasons\.csv$/),
    expect.stringMatching(/^death_registration_20261118_\d+_rejected\.csv$/),
  ]);
  const exported = new TextDecoder('gb18030').decode(await readFile(path.join(out, names[1] ?? '')));
  expect(exported.split('\r\n')[1]).toMatch(/^D7,,,/);
  await mkdir(path.join(county.base, 'none'));
  const none = await popshare(['rejects', 'export', '--feed', FEED, '--out', path.join(county.base, 'none')]);
  expect(none).toMatchObject({ code: 0, stdout: 'no rejected rows\n' });
});
