import { rm } from 'node:fs/promises';
import { Queue } from 'bullmq';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { loadRules } from '../../src/anomalies/rule-file.ts';
import { NotYetError } from '../../src/jobs/department-rate.ts';
import { type House, type NightJob, takeJob } from '../../src/jobs/night-job.ts';
import { connectQueue, type NightQueue } from '../../src/jobs/queue.ts';
import { type OpenRun, openRun } from '../../src/jobs/run.ts';
import { stepsOf } from '../../src/jobs/steps.ts';
import { equipment } from '../../src/jobs/worker.ts';
import { type RunId, toRunId } from '../../src/schema/ids.ts';
import { contentsOf } from '../faults/contents.ts';
import { death, title, useCounty } from '../support/drop.ts';
import { backends, flush, redisDatabase } from './redis.ts';

const DATE = '2026-11-18';
const county = useCounty();
const queues: NightQueue[] = [];
const runs: OpenRun[] = [];

const redisUrl = redisDatabase(0);

beforeEach(async () => {
  await flush(redisUrl);
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
    ...(await equipment(county.configuration)),
    dataFolder: county.data,
    dropFolder: county.drop,
  };
}

/** A run that has ended. */
async function earlierRun(): Promise<number> {
  const [run] = await county.query<{ run_id: number }>(
    `INSERT INTO ops.run (business_date, purpose, status) VALUES ('2026-11-17', 'nightly', 'done') RETURNING run_id`,
  );
  return run?.run_id ?? 0;
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

const add = (queue: NightQueue, runId: RunId): Promise<void> => queue.addNight(runId, DATE, county);

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

describe.each(backends(redisUrl))('a night as jobs on $backend', ({ url, isThere }) => {
  test.skipIf(!isThere)('ends in the same warehouse, with the same report, as in process', async () => {
    const alone = await inProcess();
    const queue = await connected(url);
    const inHouse = await house();
    await queue.work((job) => takeJob(inHouse, job), 1);
    await queue.work((job) => takeJob(inHouse, job), 2);
    const runId = await openedRun();
    await add(queue, runId);

    expect(await ended(runId)).toBe('done');
    expect(await contentsOf(county.warehouse)).toEqual(alone.contents);
    expect(await reportOf(runId)).toEqual(alone.report);
    expect(await stepsTaken(runId)).toHaveLength(stepsOf(feeds(), county.rules).length);
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
    }, 1);
    await add(queue, runId);
    await add(queue, runId);
    await middle.promise;

    expect(await ended(runId)).toBe('done');
    expect(await contentsOf(county.warehouse)).toEqual(alone.contents);
  });

  test.skipIf(!isThere)('added again and again, just when its jobs end, is done once', async () => {
    const alone = await inProcess();
    const queue = await connected(url);
    const inHouse = await house();
    const runId = await openedRun();
    const added: Promise<void>[] = [];
    await queue.work(async (job) => {
      await takeJob(inHouse, job);
      if (added.length < 15) for (let times = 0; times < 3; times++) added.push(add(queue, runId));
    }, 2);
    await add(queue, runId);

    expect(await ended(runId)).toBe('done');
    await Promise.all(added);
    expect(await contentsOf(county.warehouse)).toEqual(alone.contents);
  });

  test.skipIf(!isThere)('has no more feeds of a department under way than it allows', async () => {
    const queue = await connected(url);
    const { settings } = county.configuration;
    const housing = ['housing_ownership', 'housing_lease'];
    const [underWay, met] = [new Set<string>(), Promise.withResolvers<void>()];
    const closed = new Map<RunId, () => void>();
    let most = 0;
    await queue.work(async ({ runId, name, subject }) => {
      if (name === 'close') closed.get(runId)?.();
      if (!housing.includes(subject)) return;
      underWay.add(subject);
      most = Math.max(most, underWay.size);
      if (most === housing.length) met.resolve();
      // The second night ends only when both are under way at the same time.
      if (runId === 2) await met.promise;
      await county.query('SELECT');
      underWay.delete(subject);
    }, 3);
    const nightWith = async (runId: RunId, concurrency: number): Promise<void> => {
      const ended = Promise.withResolvers<void>();
      closed.set(runId, ended.resolve);
      const departments = { ...settings.departments, housing: { zh: '房产', en: 'Housing', concurrency } };
      const configuration = { ...county.configuration, settings: { ...settings, departments } };
      await queue.addNight(runId, DATE, { configuration, rules: [] });
      await ended.promise;
    };
    await nightWith(toRunId(1), 1);
    expect(most).toBe(1);
    await nightWith(toRunId(2), 2);
    expect(most).toBe(2);
  });

  test.skipIf(!isThere)(
    'a feed beyond the rate of its department waits, and is no failed attempt',
    async () => {
      const queue = await connected(url);
      const runId = await openedRun();
      // Half a minute ago: with it, one of the two feeds may begin now, and the other only in half a minute.
      await county.query(
        `INSERT INTO ops.step (run_id, name, subject, status, started_at)
       VALUES ($1, 'ingest', 'housing_lease', 'done', now() - interval '30 seconds')`,
        [await earlierRun()],
      );
      const { settings } = county.configuration;
      const housing = { zh: '房产', en: 'Housing', concurrency: 1, per_minute: 2 };
      const departments = { ...settings.departments, housing };
      const configuration = { ...county.configuration, settings: { ...settings, departments } };
      const inHouse = { ...(await house()), configuration };
      const refused = new Set<string>();
      await queue.work(async (job) => {
        await takeJob(inHouse, job).catch((error: unknown) => {
          if (error instanceof NotYetError) refused.add(job.subject);
          throw error;
        });
      }, 1);
      await add(queue, runId);
      const delayed = async (): Promise<number | undefined> => (await queue.depth())['delayed'];
      await expect.poll(delayed, { timeout: 40_000, interval: 50 }).toBe(1);
      expect(refused.size).toBe(1);
      expect(await stepsTaken(runId)).not.toContain(`ingest ${[...refused][0]} done`);

      await county.query(`UPDATE ops.step SET started_at = started_at - interval '1 minute'`);
      if (!(queue.jobs instanceof Queue)) throw new Error('the queue is one of BullMQ');
      await queue.jobs.promoteJobs();
      expect(await ended(runId)).toBe('done');
    },
  );

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
    }, 1);
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
      }, 1);
      await add(queue, stale);
      await closed.promise;

      // Beside the feeds: identity, corrections, retention, close. Where identity is not done, the others have nothing to do.
      const failing = feeds().length + 4;
      expect(codes.filter((code) => code === 'STALE_WORKER')).toHaveLength(failing);
      expect(await contentsOf(county.warehouse)).toEqual(before);
    },
  );
});

test.skipIf(redisUrl === undefined)(
  'a night whose jobs Redis has lost is added again, and done once',
  async () => {
    const alone = await inProcess();
    const queue = await connected(redisUrl);
    const inHouse = await house();
    const runId = await openedRun();
    const lost = Promise.withResolvers<void>();
    let jobs = 0;
    await queue.work(async (job) => {
      if (++jobs === 5) {
        await flush(redisUrl);
        lost.resolve();
      }
      await takeJob(inHouse, job);
    }, 1);
    await add(queue, runId);
    await lost.promise;
    await add(queue, runId);

    expect(await ended(runId)).toBe('done');
    expect(await contentsOf(county.warehouse)).toEqual(alone.contents);
    expect(await stepsTaken(runId)).toHaveLength(stepsOf(feeds(), county.rules).length);
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
