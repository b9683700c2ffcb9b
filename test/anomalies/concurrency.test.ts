import pg from 'pg';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { detect, type RuleSummary } from '../../src/anomalies/detect.ts';
import { actOnCase } from '../../src/anomalies/queue/actions.ts';
import { loadDueDates } from '../../src/anomalies/queue/due-dates.ts';
import { toRunId } from '../../src/schema/ids.ts';
import { rule, TODAY, useQueue } from './queue.ts';

const queue = useQueue();
const { county, night, act, one, idOf, story, page, request } = queue;
/** A rule that stands still in the middle of its SELECT while somebody holds the lock. */
const SLOW = rule('DQ01', 'high', 'source', 'AND pg_advisory_xact_lock_shared(4711) IS NOT NULL');

let holder: pg.Client;
let holderPid: number;
beforeEach(async () => {
  await night(TODAY, [
    { subject: 'same', evidence: { n: 1 } },
    { subject: 'other', evidence: { n: 1 } },
    { subject: 'healing', evidence: { n: 1 } },
  ]);
  holder = new pg.Client({ connectionString: county.warehouse.url });
  await holder.connect();
  holderPid = (await holder.query<{ pid: number }>('SELECT pg_backend_pid() AS pid')).rows[0]?.pid ?? 0;
});
afterEach(() => holder.end());

/** Waits until somebody waits for a lock of the holder; the server has other databases, with waits of their own. */
const untilWaitedFor = (): Promise<void> =>
  expect
    .poll(
      async () =>
        (await county.query(`SELECT FROM pg_stat_activity WHERE ${holderPid} = ANY (pg_blocking_pids(pid))`))
          .length,
    )
    .toBeGreaterThan(0);

/** A night whose rule is in the middle of its SELECT, and how to let it go on. */
async function slowNight(): Promise<{ goOn: () => Promise<RuleSummary> }> {
  await queue.finds('DQ01', [
    { subject: 'same', evidence: { n: 2 } },
    { subject: 'other', evidence: { n: 1 } },
  ]);
  await holder.query('SELECT pg_advisory_lock(4711)');
  const runId = await queue.nextRun();
  const ended = detect(
    { warehouse: county.warehouse, runId, asOf: '2026-11-19', dueDates: queue.dueDates() },
    SLOW,
  );
  await untilWaitedFor();
  return {
    goOn: async () => {
      await holder.query('SELECT pg_advisory_unlock(4711)');
      return ended;
    },
  };
}

describe('while a rule takes its time', () => {
  test('officers act at once upon cases of that rule, and what they did stands', async () => {
    const { goOn } = await slowNight();
    await act(await idOf('other'), 'dismiss');
    await act(await idOf('same'), 'assign');
    await act(await idOf('healing'), 'resolve');
    expect((await page()).counts.total).toBe(1);
    await goOn();
    expect(await one(await idOf('other'))).toMatchObject({ status: 'dismissed', healed: false });
    expect(await one(await idOf('same'))).toMatchObject({
      status: 'assigned',
      owner: 'li',
      evidence: { n: 2 },
    });
    expect(await one(await idOf('healing'))).toMatchObject({ status: 'resolved', healed: false });
    expect((await page()).counts.by_status).toEqual({ assigned: 1 });
  });

  test('a case that an officer closed meanwhile reopens for the evidence that the officer had not seen', async () => {
    const { goOn } = await slowNight();
    await act(await idOf('same'), 'resolve');
    expect(await goOn()).toMatchObject({ reopened: 1 });
    expect(await story(await idOf('same'))).toEqual(['opened', 'resolved', 'reopened']);
    expect(await one(await idOf('same'))).toMatchObject({ status: 'new', evidence: { n: 2 } });
  });

  test('who acts a moment after the night is told what the night changed, and nothing is lost', async () => {
    const id = await idOf('same');
    const { goOn } = await slowNight();
    await goOn();
    await expect(actOnCase(county.warehouse, id, 1, request('dismiss'))).rejects.toMatchObject({
      code: 'CASE_CHANGED',
      since: [{ kind: 'evidence', evidence: { n: 2 } }],
    });
    expect(await actOnCase(county.warehouse, id, 2, request('dismiss'))).toBe(3);
  });
});

test('the night waits for an officer’s commit, and then goes by what the officer did', async () => {
  const ids = [await idOf('same'), await idOf('healing')];
  await holder.query('BEGIN');
  await holder.query('SELECT FROM anomalies.anomaly WHERE anomaly_id = ANY ($1) FOR UPDATE', [ids]);
  const ended = night('2026-11-19', [
    { subject: 'same', evidence: { n: 2 } },
    { subject: 'other', evidence: { n: 1 } },
  ]);
  await untilWaitedFor();
  await holder.query(
    `UPDATE anomalies.anomaly SET status = 'dismissed', version = 2 WHERE anomaly_id = ANY ($1)`,
    [ids],
  );
  await holder.query('COMMIT');
  expect(await ended).toMatchObject({ reopened: 1, closed: 0 });
  expect(await one(ids[0] ?? 0)).toMatchObject({ status: 'new', evidence: { n: 2 }, version: 3 });
  expect(await one(ids[1] ?? 0)).toMatchObject({ status: 'dismissed', healed: false, version: 2 });
});

test('a worker that has been overtaken changes nothing', async () => {
  await queue.finds('DQ01', []);
  const dueDates = await loadDueDates(county.configuration);
  const late = { warehouse: county.warehouse, runId: toRunId(1), asOf: TODAY, dueDates };
  await queue.nextRun();
  await expect(detect(late, rule('DQ01'))).rejects.toMatchObject({ code: 'STALE_WORKER' });
  expect((await page()).counts.total).toBe(3);
});
