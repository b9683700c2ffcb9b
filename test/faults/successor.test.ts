import { rm } from 'node:fs/promises';
import { describe, expect, test } from 'vitest';
import { collect, openDeliveries } from '../../src/ingest/collect.ts';
import type { RunContext } from '../../src/ingest/delivery.ts';
import { processDelivery } from '../../src/ingest/process.ts';
import { openRun } from '../../src/jobs/run.ts';
import { title } from '../support/drop.ts';
import { contentsOf } from './contents.ts';
import { SECOND, useDisturbance } from './disturbed.ts';

const disturbance = useDisturbance();
const { county } = disturbance;

/** Ends the session that keeps other runs away, as a network that breaks does. */
async function endSessionOfRun(): Promise<void> {
  const { client } = await disturbance.connect();
  await client.query(`
    SELECT pg_terminate_backend(l.pid) FROM pg_locks l JOIN pg_database d ON d.oid = l.database
    WHERE l.locktype = 'advisory' AND l.granted AND d.datname = current_database()`);
  await disturbance.sessionsEnded();
}

/** Keeps runs from entering the ledger. */
async function lockRuns(): Promise<{ giveBack: () => Promise<unknown>; pid: number }> {
  const { client, pid } = await disturbance.connect();
  await client.query('BEGIN');
  await client.query('LOCK TABLE ops.run IN EXCLUSIVE MODE');
  return { giveBack: () => client.query('COMMIT'), pid };
}

describe('a run that has been overtaken', () => {
  test.each([
    ['before staging', 'ops.feed_state IN ACCESS EXCLUSIVE MODE'],
    ['before identity', 'identity.state IN ACCESS EXCLUSIVE MODE'],
    ['between two steps', 'ops.step IN EXCLUSIVE MODE'],
  ])('while it slept %s commits nothing more when it wakes', async (_where, lock) => {
    const undisturbed = await disturbance.undisturbed(contentsOf);
    let sleeper: ReturnType<typeof disturbance.nightly> | undefined;
    const giveBack = await disturbance.standStillAt(() => {
      sleeper = disturbance.nightly();
    }, [lock]);
    sleeper?.child.kill('SIGSTOP');
    await giveBack();
    await endSessionOfRun();
    expect(await county.night(SECOND, [])).toMatchObject({ status: 'done' });
    expect(await contentsOf(county.warehouse)).toEqual(undisturbed);

    sleeper?.child.kill('SIGCONT');
    const woken = await sleeper?.ended;
    expect(woken).toMatchObject({ code: 1, stdout: '', stderr: expect.stringMatching(/^STALE_WORKER: /m) });
    expect(await contentsOf(county.warehouse)).toEqual(undisturbed);
    expect(await county.query(`SELECT status FROM ops.run ORDER BY run_id DESC LIMIT 2`)).toEqual([
      { status: 'done' },
      { status: 'interrupted' },
    ]);
  });

  test.each<[string, { control?: { rows: number }; lost?: boolean }]>([
    ['that is in order', {}],
    ['that must be held', { control: { rows: 100 } }],
    ['whose bytes are lost', { lost: true }],
  ])('decides nothing about a delivery %s', async (_what, { control, lost }) => {
    await county.deliver('housing_ownership', SECOND, [title('A', '王强')], {
      ...(control ? { control } : {}),
    });
    const run = await openRun(county.warehouse, SECOND, 'nightly');
    const context: RunContext = {
      warehouse: county.warehouse,
      configuration: county.configuration,
      dataFolder: county.data,
      runId: run.runId,
      businessDate: SECOND,
      onRows: () => {},
    };
    await collect(context, county.binding('housing_ownership'), county.drop);
    const [landed] = await openDeliveries(context, 'housing_ownership');
    if (landed === undefined) throw new Error('nothing has landed');
    if (lost) await rm(county.data, { recursive: true });
    await run.abandon();
    const successor = await openRun(county.warehouse, SECOND, 'nightly');
    const before = await county.query('SELECT * FROM ops.delivery ORDER BY delivery_id');

    await expect(processDelivery(context, landed)).rejects.toMatchObject({ code: 'STALE_WORKER' });
    expect(await county.query('SELECT * FROM ops.delivery ORDER BY delivery_id')).toEqual(before);
    await successor.close('done', {});
  });
});

describe('a run that hangs', () => {
  test('with its heart stopped is ended by the next one, also in the middle of a commit', async () => {
    const undisturbed = await disturbance.undisturbed(contentsOf);
    let hanging: ReturnType<typeof disturbance.nightly> | undefined;
    const giveBack = await disturbance.standStillAt(() => {
      hanging = disturbance.nightly();
    }, ['registry.housing_ownership IN EXCLUSIVE MODE']);
    hanging?.child.kill('SIGSTOP');
    await giveBack();
    await county.query(
      `UPDATE ops.run SET heartbeat_at = now() - interval '2 minutes' WHERE status = 'running'`,
    );

    expect(await county.night(SECOND, [])).toMatchObject({ status: 'done' });
    expect(await contentsOf(county.warehouse)).toEqual(undisturbed);
    hanging?.child.kill('SIGCONT');
    expect(await hanging?.ended).toMatchObject({ code: 1, stdout: '' });
    expect(await contentsOf(county.warehouse)).toEqual(undisturbed);
  });
});

describe('two runs at once', () => {
  test('the second process says RUN_IN_PROGRESS, and the first ends as if nothing had been', async () => {
    const undisturbed = await disturbance.undisturbed(contentsOf);
    let first: ReturnType<typeof disturbance.nightly> | undefined;
    const giveBack = await disturbance.standStillAt(() => {
      first = disturbance.nightly();
    }, ['identity.link IN EXCLUSIVE MODE']);
    const refused = await disturbance.nightly().ended;
    expect(refused).toMatchObject({
      code: 1,
      stdout: '',
      stderr: expect.stringMatching(/^RUN_IN_PROGRESS: run \d+ for 2026-11-19/m),
    });
    await giveBack();
    expect(await first?.ended).toMatchObject({ code: 0 });
    expect(await contentsOf(county.warehouse)).toEqual(undisturbed);
  });

  test('of two that begin at the same moment one is refused', async () => {
    const { giveBack, pid } = await lockRuns();
    const first = county.night(SECOND, []);
    await disturbance.untilWaitedFor(pid);
    await expect(county.night(SECOND, [])).rejects.toMatchObject({ code: 'RUN_IN_PROGRESS' });
    await giveBack();
    expect(await first).toMatchObject({ status: 'done' });
  });

  test('the next can begin as soon as the last is closed, and holds others away', async () => {
    const first = await openRun(county.warehouse, SECOND, 'nightly');
    await first.close('done', {});
    const second = await openRun(county.warehouse, SECOND, 'nightly');
    await expect(openRun(county.warehouse, SECOND, 'nightly')).rejects.toMatchObject({
      code: 'RUN_IN_PROGRESS',
    });
    await county.query(
      `UPDATE ops.run SET heartbeat_at = now() - interval '2 minutes' WHERE status = 'running'`,
    );
    const third = await openRun(county.warehouse, SECOND, 'nightly');
    await expect(openRun(county.warehouse, SECOND, 'nightly')).rejects.toMatchObject({
      code: 'RUN_IN_PROGRESS',
    });
    await second.abandon();
    await expect(openRun(county.warehouse, SECOND, 'nightly')).rejects.toMatchObject({
      code: 'RUN_IN_PROGRESS',
    });
    await third.close('done', {});
  });
});
