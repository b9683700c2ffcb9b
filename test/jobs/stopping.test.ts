import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { cp, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { connectQueue, type NightQueue } from '../../src/jobs/queue.ts';
import { type OpenRun, openRun } from '../../src/jobs/run.ts';
import { kill, SECOND, useDisturbance } from '../faults/disturbed.ts';
import { backends, flush, redisDatabase } from './redis.ts';

const redisUrl = redisDatabase(3);
const disturbance = useDisturbance();
const { county } = disturbance;
const queues: NightQueue[] = [];
const runs: OpenRun[] = [];
const children: ChildProcess[] = [];

beforeEach(() => flush(redisUrl));

afterEach(async () => {
  for (const child of children.splice(0)) await kill(child);
  for (const queue of queues.splice(0)) await queue.close();
  for (const run of runs.splice(0)) await run.abandon();
});

/** From now on the configuration names no port: others may listen where the shipped one says. */
async function listenAnywhere(): Promise<void> {
  const folder = path.join(county.base, 'anywhere');
  await cp(county.configuration.folder, folder, { recursive: true });
  const file = path.join(folder, 'popshare.yaml');
  await writeFile(file, (await readFile(file, 'utf8')).replace('port: 8080', 'port: 0'));
  await county.configure(folder);
}

/** A part of the service as its command starts it. */
function begin(part: string, url: string | undefined): { child: ChildProcess; told: () => string } {
  const child = spawn(process.execPath, ['bin/popshare.js', part], {
    env: {
      PATH: process.env['PATH'],
      DATABASE_URL: county.warehouse.url,
      REDIS_URL: url,
      POPSHARE_CONFIG: county.configuration.folder,
      POPSHARE_DATA: county.data,
      POPSHARE_DROP: county.drop,
    },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  children.push(child);
  let stderr = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  return { child, told: () => stderr };
}

const eventually = (what: () => unknown): ReturnType<typeof expect.poll> =>
  expect.poll(what, { timeout: 50_000, interval: 50 });

/** A worker with jobs under way that stand still, until they are let go. */
async function workerAtWork(
  url: string | undefined,
): Promise<{ child: ChildProcess; told: () => string; letGo: () => Promise<unknown> }> {
  const { client } = await disturbance.connect();
  const queue = await connectQueue({ databaseUrl: county.warehouse.url, redisUrl: url });
  queues.push(queue);
  const run = await openRun(county.warehouse, SECOND, 'nightly');
  runs.push(run);
  await client.query('BEGIN');
  await client.query('LOCK TABLE ops.delivery IN EXCLUSIVE MODE');
  await queue.addNight(run.runId, SECOND, county);
  const worker = begin('worker', url);
  await eventually(async () => (await steps('running')).length).toBe(
    county.configuration.settings.schedule.jobs,
  );
  return { ...worker, letGo: () => client.query('COMMIT') };
}

const steps = (status: string): Promise<object[]> =>
  county.query(
    `SELECT name, subject FROM ops.step WHERE status = $1 AND run_id = (SELECT max(run_id) FROM ops.run) ORDER BY 1, 2`,
    [status],
  );

describe.each(backends(redisUrl))('a worker on $backend', ({ url, isThere }) => {
  test.skipIf(!isThere)(
    'that is asked to stop ends what is under way, begins nothing, and ends with 0',
    async () => {
      const { child, told, letGo } = await workerAtWork(url);
      const underWay = await steps('running');
      child.kill('SIGTERM');
      await eventually(told).toContain('stopping');
      await letGo();
      await once(child, 'close');
      expect(child.exitCode).toBe(0);
      expect(await steps('done')).toEqual(underWay);
      expect(await steps('running')).toEqual([]);
    },
  );

  test.skipIf(!isThere)('that is asked again ends at once', async () => {
    const { child, letGo } = await workerAtWork(url);
    await eventually(() => {
      child.kill('SIGTERM');
      return child.exitCode;
    }).toBe(130);
    expect(await steps('done')).toEqual([]);
    await letGo();
  });

  test.skipIf(!isThere)('that has lost all its connections to Postgres takes jobs again', async () => {
    const { told } = begin('worker', url);
    await eventually(told).toContain('at work');
    const { client } = await disturbance.connect();
    await client.query(`SELECT pg_terminate_backend(pid) FROM pg_stat_activity
                        WHERE datname = current_database() AND pid <> pg_backend_pid()`);
    // The test's own are among them: it goes on when it has noticed.
    await eventually(() => county.warehouse.pool.totalCount).toBe(0);
    const queue = await connectQueue({ databaseUrl: county.warehouse.url, redisUrl: url });
    queues.push(queue);
    const run = await openRun(county.warehouse, SECOND, 'nightly');
    runs.push(run);
    await queue.addNight(run.runId, SECOND, county);
    await eventually(() => county.query('SELECT status FROM ops.run WHERE run_id = $1', [run.runId])).toEqual(
      [{ status: 'done' }],
    );
  });

  test.skipIf(!isThere)('and a scheduler in one process bring the night that is due', async () => {
    await county.empty();
    await listenAnywhere();
    const { child, told } = begin('start', url);
    await eventually(() =>
      county.query(`SELECT status FROM ops.run WHERE status <> 'running' ORDER BY run_id DESC LIMIT 1`),
    ).toEqual([{ status: 'done' }]);
    child.kill('SIGINT');
    await once(child, 'close');
    expect(child.exitCode).toBe(0);
    expect(told()).toMatch(/^server and scheduler and worker at work, queue in (Postgres|Redis)$/m);
  });
});

test('the service says that the queue does not answer', async () => {
  const { child, told } = begin('start', 'redis://127.0.0.1:1');
  await once(child, 'close');
  expect(child.exitCode).toBe(1);
  expect(told()).toMatch(/^QUEUE_UNREACHABLE: /m);
});
