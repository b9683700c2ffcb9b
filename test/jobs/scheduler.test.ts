import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { loadRules } from '../../src/anomalies/rule-file.ts';
import { takeJob } from '../../src/jobs/night-job.ts';
import { connectQueue, type NightQueue } from '../../src/jobs/queue.ts';
import { openRun } from '../../src/jobs/run.ts';
import { type Desk, runDueNights } from '../../src/jobs/scheduler.ts';
import { equipment, startWorker } from '../../src/jobs/worker.ts';
import { contentsOf } from '../faults/contents.ts';
import { FIRST, SECOND, useDisturbance } from '../faults/disturbed.ts';
import { backends, flush, redisDatabase } from './redis.ts';

const redisUrl = redisDatabase(1);

const BROKEN_RULE = `/*
rule: ZZ99
title: { zh: 坏, en: Broken }
severity: low
owner: source
evaluates: everything
definition: none
resolved_by: nobody
*/
SELECT no_such_column FROM registry.housing_ownership
`;

const disturbance = useDisturbance();
const { county } = disturbance;
const queues: NightQueue[] = [];
const ticks: { ended: Promise<void>; stop: AbortController }[] = [];

beforeEach(() => flush(redisUrl));

afterEach(async () => {
  for (const { ended, stop } of ticks.splice(0)) {
    stop.abort();
    await ended;
  }
  await Promise.all(queues.splice(0).map((queue) => queue.close()));
});

async function connected(url: string | undefined): Promise<NightQueue> {
  const queue = await connectQueue({ databaseUrl: county.warehouse.url, redisUrl: url });
  queues.push(queue);
  return queue;
}

const house = () => ({
  warehouse: county.warehouse,
  configuration: county.configuration,
  rules: county.rules,
  dataFolder: county.data,
  dropFolder: county.drop,
});

async function desk(url: string | undefined, options: { works: boolean }): Promise<Desk> {
  const queue = await connected(url);
  if (options.works) await startWorker(house(), queue);
  return { ...house(), queue };
}

/** Looks for due nights once, under a clock that stands still after the cut-off of a date. */
function tick(at: Desk, date: string): (typeof ticks)[number] {
  const stop = new AbortController();
  const ended = runDueNights(at, () => new Date(`${date}T22:01:00+08:00`), stop.signal);
  const begun = { ended, stop };
  ticks.push(begun);
  return begun;
}

/** Waits until a run was refused, because another is at work: who asked for it has looked who that is, and rests. */
const refused = (): Promise<void> =>
  disturbance.until(`SELECT FROM pg_stat_activity
    WHERE datname = current_database() AND pid <> pg_backend_pid() AND state = 'idle'
      AND query LIKE '%heartbeat_at > now()%'`);

const runs = (): Promise<object[]> =>
  county.query('SELECT business_date AS date, purpose, status FROM ops.run ORDER BY run_id');

describe.each(backends(redisUrl))('a tick on $backend', ({ url, isThere }) => {
  test.skipIf(!isThere)('brings each date that the ledger lacks, in order, and then nothing', async () => {
    const at = await desk(url, { works: true });
    await tick(at, '2026-11-20').ended;
    await tick(at, '2026-11-20').ended;
    expect(await runs()).toEqual([
      { date: FIRST, purpose: 'nightly', status: 'done' },
      { date: SECOND, purpose: 'backfill', status: 'done' },
      { date: '2026-11-20', purpose: 'nightly', status: 'done' },
    ]);
  });

  test.skipIf(!isThere)('tries a night that fails again at the next ticks, until it gives up', async () => {
    const folder = path.join(county.configuration.folder, 'rules');
    await writeFile(path.join(folder, 'ZZ99.sql'), BROKEN_RULE);
    county.rules = await loadRules(folder);
    const at = await desk(url, { works: true });
    const { failed_attempts } = county.configuration.settings.schedule;
    for (let tries = 0; tries <= failed_attempts; tries++) await tick(at, SECOND).ended;
    expect((await runs()).slice(1)).toEqual(
      Array.from({ length: failed_attempts }, () => ({ date: SECOND, purpose: 'nightly', status: 'failed' })),
    );

    await tick(at, '2026-11-20').ended;
    expect((await runs()).at(-1)).toMatchObject({ date: '2026-11-20', status: 'failed' });
  });

  test.skipIf(!isThere)(
    'waits for a run that is at work, and does nothing when that was the date',
    async () => {
      const other = await openRun(county.warehouse, SECOND, 'nightly');
      const { ended } = tick(await desk(url, { works: true }), SECOND);
      await refused();
      await other.close('done', {});
      await ended;
      expect((await runs()).slice(1)).toEqual([{ date: SECOND, purpose: 'nightly', status: 'done' }]);
    },
  );

  test.skipIf(!isThere)('that is stopped leaves the night to the next scheduler', async () => {
    const expected = await disturbance.undisturbed(contentsOf);
    const idle = await desk(url, { works: false });
    const first = tick(idle, SECOND);
    const second = tick(idle, SECOND);
    await disturbance.until(`SELECT FROM ops.run WHERE status = 'running'`);
    first.stop.abort();
    await first.ended;
    await desk(url, { works: true });
    await second.ended;
    expect((await runs()).slice(1).filter((run) => 'status' in run && run.status === 'done')).toHaveLength(1);
    expect(await contentsOf(county.warehouse)).toEqual(expected);
  });

  test.skipIf(!isThere)('leaves alone a date that workers end at the last moment', async () => {
    const orphan = await openRun(county.warehouse, SECOND, 'nightly');
    await orphan.abandon();
    const { client, pid } = await disturbance.connect();
    await client.query('BEGIN');
    // The worker's last word is said, and not yet committed, when the scheduler has seen that the date lacks a night.
    await client.query(`UPDATE ops.run SET status = 'done' WHERE run_id = $1`, [orphan.runId]);
    const { ended } = tick(await desk(url, { works: true }), SECOND);
    await disturbance.untilWaitedFor(pid);
    await client.query('COMMIT');
    await ended;
    expect((await runs()).slice(1)).toEqual([
      { date: SECOND, purpose: 'nightly', status: 'done' },
      { date: SECOND, purpose: 'nightly', status: 'interrupted' },
    ]);
  });
});

test.skipIf(redisUrl === undefined)(
  'a night that Redis loses on the way is restored from the ledger',
  async () => {
    const expected = await disturbance.undisturbed(contentsOf);
    const at = await desk(redisUrl, { works: false });
    const inHouse = { ...house(), ...(await equipment(county.configuration)) };
    let jobs = 0;
    await at.queue.work(async (job) => {
      if (++jobs % 3 === 0 && jobs < 10) await flush(redisUrl);
      await takeJob(inHouse, job);
    }, 1);
    await tick(at, SECOND).ended;
    expect((await runs()).slice(1)).toEqual([{ date: SECOND, purpose: 'nightly', status: 'done' }]);
    expect(await contentsOf(county.warehouse)).toEqual(expected);
  },
);
