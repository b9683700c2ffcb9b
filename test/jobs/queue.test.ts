import { rm } from 'node:fs/promises';
import { Redis } from 'ioredis';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { loadRules } from '../../src/anomalies/rule-file.ts';
import { loadModel } from '../../src/identity/model/model-file.ts';
import { withWeights } from '../../src/identity/model/weights.ts';
import { type House, type NightJob, takeJob } from '../../src/jobs/night-job.ts';
import { connectQueue, type NightQueue } from '../../src/jobs/queue.ts';
import { type OpenRun, openRun } from '../../src/jobs/run.ts';
import { stepsOf } from '../../src/jobs/steps.ts';
import type { RunId } from '../../src/schema/ids.ts';
import { contentsOf } from '../faults/contents.ts';
import { death, title, useCounty } from '../support/drop.ts';

const DATE = '2026-11-18';
const county = useCounty();
const queues: NightQueue[] = [];
const runs: OpenRun[] = [];

const redisUrl = process.env['TEST_REDIS_URL'];

beforeEach(async () => {
  if (redisUrl !== undefined) await withRedis(redisUrl, (redis) => redis.flushall());
  county.rules = (await loadRules('config/rules')).filter(({ rule }) => /^DQ0[1-3]|^ID08/.test(rule));
  await county.deliver('housing_ownership', DATE, [
    title('T1', '王强'),
    title('T2', ''),
    title('T3', '李娜'),
  ]);
  await county.deliver('death_registration', DATE, [
    death('D1', '王强', '02 08:00:00'),
    death('D2', '', '02'),
  ]);
});

afterEach(async () => {
  await Promise.all(queues.splice(0).map((queue) => queue.close()));
  await Promise.all(runs.splice(0).map((run) => run.abandon()));
});

const feeds = (): string[] => county.configuration.bindings.map(({ feed }) => feed);

async function house(): Promise<House> {
  return {
    warehouse: county.warehouse,
    configuration: county.configuration,
    rules: county.rules,
    model: withWeights(await loadModel('persons', county.configuration.folder)),
    dataFolder: county.data,
    dropFolder: county.drop,
  };
}

async function openedRun(): Promise<RunId> {
  const run = await openRun(county.warehouse, DATE, 'nightly');
  runs.push(run);
  return run.runId;
}

async function connected(redisUrl: string | undefined): Promise<NightQueue> {
  const queue = await connectQueue({ databaseUrl: county.warehouse.url, redisUrl });
  queues.push(queue);
  return queue;
}

const add = (queue: NightQueue, runId: RunId): Promise<void> =>
  queue.addNight(runId, DATE, stepsOf(feeds(), county.rules));

/** How the run has ended, once it has. */
async function ended(runId: RunId): Promise<string | undefined> {
  const status = async (): Promise<string | undefined> =>
    (await county.query<{ status: string }>('SELECT status FROM ops.run WHERE run_id = $1', [runId]))[0]
      ?.status;
  await expect.poll(status, { timeout: 40_000, interval: 50 }).not.toBe('running');
  return status();
}

async function stepsTaken(runId: RunId): Promise<string[]> {
  const rows = await county.query<{ step: string }>(
    `SELECT concat_ws(' ', name, subject, status) AS step FROM ops.step WHERE run_id = $1 ORDER BY step`,
    [runId],
  );
  return rows.map(({ step }) => step.trim());
}

/** What the night leaves behind in process, its report without ids and times; the county is then as before it. */
async function inProcess(): Promise<{ contents: Record<string, string[]>; report: unknown }> {
  const report = await county.night(DATE, []);
  const contents = await contentsOf(county.warehouse);
  await county.empty();
  await rm(county.data, { recursive: true });
  return { contents, report: comparable(report) };
}

function comparable(report: object): unknown {
  const changing = ['run_id', 'delivery_id', 'ms'];
  return JSON.parse(JSON.stringify(report, (key, value) => (changing.includes(key) ? undefined : value)));
}

async function reportOf(runId: RunId): Promise<unknown> {
  const [run] = await county.query<{ summary: object }>('SELECT summary FROM ops.run WHERE run_id = $1', [
    runId,
  ]);
  return comparable(run?.summary ?? {});
}

async function withRedis(url: string, work: (redis: Redis) => Promise<unknown>): Promise<void> {
  const redis = new Redis(url);
  await work(redis);
  await redis.quit();
}

describe.each([
  { backend: 'Postgres', url: undefined, isThere: true },
  {
    backend: 'Redis (needs TEST_REDIS_URL, which .ci/run sets)',
    url: redisUrl,
    isThere: redisUrl !== undefined,
  },
])('a night as jobs on $backend', ({ url, isThere }) => {
  test.skipIf(!isThere)('ends in the same warehouse, with the same report, as in process', async () => {
    const alone = await inProcess();
    const queue = await connected(url);
    const inHouse = await house();
    await queue.work((job) => takeJob(inHouse, job));
    await queue.work((job) => takeJob(inHouse, job));
    const runId = await openedRun();
    await add(queue, runId);

    expect(await ended(runId)).toBe('done');
    expect(await contentsOf(county.warehouse)).toEqual(alone.contents);
    expect(await reportOf(runId)).toEqual(alone.report);
    expect(await stepsTaken(runId)).toHaveLength(feeds().length + 1 + county.rules.length);
  });

  test.skipIf(!isThere)('added twice, in the middle too, is done once', async () => {
    const alone = await inProcess();
    const queue = await connected(url);
    const inHouse = await house();
    const runId = await openedRun();
    const middle = Promise.withResolvers<void>();
    let jobs = 0;
    await queue.work(async (job) => {
      if (++jobs === 4) {
        await add(queue, runId);
        middle.resolve();
      }
      await takeJob(inHouse, job);
    });
    await add(queue, runId);
    await add(queue, runId);
    await middle.promise;

    expect(await ended(runId)).toBe('done');
    expect(await contentsOf(county.warehouse)).toEqual(alone.contents);
  });

  test.skipIf(!isThere)('a step that fails is tried again', async () => {
    const queue = await connected(url);
    const inHouse = await house();
    const runId = await openedRun();
    const failing = Promise.withResolvers<void>();
    let attempts = 0;
    await queue.work(async (job) => {
      if (job.name === 'identity' && ++attempts === 1) {
        failing.resolve();
        throw new Error('the network is down');
      }
      await takeJob(inHouse, job);
    });
    await add(queue, runId);
    await failing.promise;

    expect(await ended(runId)).toBe('done');
    expect(attempts).toBe(2);
  });

  test.skipIf(!isThere)(
    'jobs of a run that has been overtaken change nothing, and are not tried again',
    async () => {
      const queue = await connected(url);
      const inHouse = await house();
      const stale = await openedRun();
      await Promise.all(runs.splice(0).map((run) => run.abandon()));
      await openedRun();
      const before = await contentsOf(county.warehouse);
      const codes: unknown[] = [];
      const closed = Promise.withResolvers<void>();
      await queue.work(async (job) => {
        const caught = await takeJob(inHouse, job).then(
          () => null,
          (error: unknown) => error,
        );
        codes.push(caught instanceof Error && 'code' in caught ? caught.code : caught);
        if (job.name === 'close') closed.resolve();
        if (caught !== null) throw caught;
      });
      await add(queue, stale);
      await closed.promise;

      // No rule is run where identity is not done: those jobs have nothing to do.
      const failing = feeds().length + 2;
      expect(codes.filter((code) => code === 'STALE_WORKER')).toHaveLength(failing);
      expect(await contentsOf(county.warehouse)).toEqual(before);
    },
  );
});

test.skipIf(redisUrl === undefined)(
  'a night whose jobs Redis has lost is added again, and done once',
  async () => {
    const url = redisUrl ?? '';
    const alone = await inProcess();
    const queue = await connected(url);
    const inHouse = await house();
    const runId = await openedRun();
    const lost = Promise.withResolvers<void>();
    let jobs = 0;
    await queue.work(async (job) => {
      if (++jobs === 5) {
        await withRedis(url, (redis) => redis.flushall());
        lost.resolve();
      }
      await takeJob(inHouse, job);
    });
    await add(queue, runId);
    await lost.promise;
    await add(queue, runId);

    expect(await ended(runId)).toBe('done');
    expect(await contentsOf(county.warehouse)).toEqual(alone.contents);
    expect(await stepsTaken(runId)).toHaveLength(feeds().length + 1 + county.rules.length);
  },
);

describe('jobs in any hands', () => {
  test('the same job in two workers at the same time is done once', async () => {
    const alone = await inProcess();
    const inHouse = await house();
    const runId = await openedRun();
    for (const step of [...stepsOf(feeds(), county.rules), { name: 'close', subject: '' } as const]) {
      const job: NightJob = { runId, businessDate: DATE, ...step };
      await Promise.all([takeJob(inHouse, job), takeJob(inHouse, job)]);
    }
    expect(await contentsOf(county.warehouse)).toEqual(alone.contents);
    expect(await reportOf(runId)).toEqual(alone.report);
  });

  test('without identity no rule is run, and the run is closed as failed', async () => {
    const inHouse = await house();
    const runId = await openedRun();
    const take = (name: NightJob['name'], subject: string): Promise<void> =>
      takeJob(inHouse, { runId, businessDate: DATE, name, subject });
    for (const feed of feeds()) await take('ingest', feed);
    for (const { rule } of county.rules) await take('detect', rule);
    await take('close', '');

    expect(await ended(runId)).toBe('failed');
    expect(await stepsTaken(runId)).toEqual(
      feeds()
        .map((feed) => `ingest ${feed} done`)
        .sort(),
    );
    expect(await county.query('SELECT * FROM anomalies.anomaly')).toEqual([]);
  });
});

test('a queue that does not answer is said to be unreachable', async () => {
  await expect(
    connectQueue({ databaseUrl: county.warehouse.url, redisUrl: 'redis://127.0.0.1:1' }),
  ).rejects.toMatchObject({ code: 'QUEUE_UNREACHABLE' });
  await expect(
    connectQueue({ databaseUrl: 'postgres://nobody@127.0.0.1:1/popshare', redisUrl: undefined }),
  ).rejects.toMatchObject({ code: 'QUEUE_UNREACHABLE' });
});
