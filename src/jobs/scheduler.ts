import { setTimeout } from 'node:timers/promises';
import { sql } from 'kysely';
import { schedule } from 'node-cron';
import type { PoolClient } from 'pg';
import { foldTallies } from '../anomalies/queue/tallies.ts';
import { PopshareError } from '../schema/errors.ts';
import type { RunId } from '../schema/ids.ts';
import type { Warehouse } from '../schema/warehouse/connect.ts';
import { dueNights, latestDueDate, ticksOf } from './due-nights.ts';
import { log } from './log.ts';
import type { NightPlan, NightQueue } from './queue.ts';
import { type OpenRun, openRun } from './run.ts';
import { answerRequests, RUN_REQUESTED, requestedDates } from './run-request.ts';

/** What a scheduler works with. */
export interface Desk extends NightPlan {
  readonly warehouse: Warehouse;
  readonly queue: NightQueue;
}

/** How often the ledger is asked whether a night has ended, and others whether it is their turn. */
const POLL_MILLISECONDS = 1_000;
const EVERY_QUARTER_OF_AN_HOUR = '*/15 * * * *';

/**
 * Looks for due nights now, after each cut-off, and every 15 minutes to catch up, until it is stopped. A look that
 * fails is told in the log; the next one comes.
 *
 * @returns stops looking; a night that is open is left to the workers and to the next scheduler
 */
export function startScheduler(desk: Desk): () => Promise<void> {
  const stopping = new AbortController();
  let atWork: Promise<void> | null = null;
  let isAskedAgain = false;
  const look = (): void => {
    if (atWork !== null) {
      isAskedAgain = true;
      return;
    }
    isAskedAgain = false;
    atWork = runDueNights(desk, () => new Date(), stopping.signal)
      .catch((error) => log.error({ err: error }, 'the scheduler could not do its work'))
      .finally(() => {
        atWork = null;
        // Somebody asked just when there was nothing left to do.
        if (isAskedAgain && !stopping.signal.aborted) look();
      });
  };
  const afterCutOffs = ticksOf(desk.configuration.bindings).map(
    ({ hour, minute }) => `${minute} ${hour} * * *`,
  );
  const tasks = [...afterCutOffs, EVERY_QUARTER_OF_AN_HOUR].map((expression) =>
    schedule(expression, look, { timezone: 'Asia/Shanghai', suppressMissedWarning: true }),
  );
  look();
  const hearing = hear(desk.warehouse, look);
  return async () => {
    stopping.abort();
    await Promise.all(tasks.map((task) => task.destroy()));
    await (await hearing)();
    await atWork;
  };
}

/**
 * Looks as soon as somebody asks for a run. Where the connection breaks, requests are found at the next tick.
 *
 * @returns stops hearing
 */
async function hear(warehouse: Warehouse, look: () => void): Promise<() => Promise<void>> {
  try {
    const session = await warehouse.pool.connect();
    session.on('error', (error) => log.warn({ err: error }, 'requests for runs are heard at ticks alone'));
    session.on('notification', look);
    await session.query(`LISTEN ${RUN_REQUESTED}`);
    return async () => session.release(true);
  } catch (error) {
    log.warn({ err: error }, 'requests for runs are heard at ticks alone');
    return async () => {};
  }
}

/**
 * Runs the nights that somebody asked for, then those that are due, oldest first, each once: one that fails is tried
 * again at the next tick. Of several
 * schedulers one does this at a time; another takes over as soon as that one is gone.
 *
 * @param now the clock, asked before each night
 * @param stop ends the work, at the latest after a second
 * @throws whatever the database or the queue throws
 */
export async function runDueNights(desk: Desk, now: () => Date, stop: AbortSignal): Promise<void> {
  const { warehouse, configuration } = desk;
  const tried = new Set<string>();
  await inTurn(warehouse, stop, async () => {
    while (!stop.aborted) {
      const [requested] = await requestedDates(warehouse);
      if (requested !== undefined) {
        const run = await openRunOf(warehouse, requested, 'backfill');
        if (run === null) await pause(stop);
        else {
          await answerRequests(warehouse, run.runId, requested);
          await runToEnd(desk, run, requested, stop);
        }
        continue;
      }
      const latest = latestDueDate(now(), configuration.bindings);
      if (latest === null) return;
      const due = await dueNights(warehouse, latest, configuration.settings.schedule.failed_attempts);
      const date = due.find((candidate) => !tried.has(candidate));
      if (date === undefined) {
        // What officers did since the last look no longer slows down their pages.
        await warehouse.db.transaction().execute(foldTallies);
        return;
      }
      const run = await openRunOf(warehouse, date, date === latest ? 'nightly' : 'backfill');
      // A command is at work, and may do this very date: the ledger is asked again.
      if (run === null) await pause(stop);
      else {
        tried.add(date);
        await runToEnd(desk, run, date, stop);
      }
    }
  });
}

/** Waits until no other scheduler is at work; the turn falls with the process that has it. */
async function inTurn(warehouse: Warehouse, stop: AbortSignal, work: () => Promise<void>): Promise<void> {
  const session = await warehouse.pool.connect();
  session.on('error', (error) => log.warn({ err: error }, 'the session of the scheduler has broken'));
  try {
    while (!stop.aborted) {
      if (await tryTurn(session)) return await work();
      await pause(stop);
    }
  } finally {
    // Ends the session, and with it the turn.
    session.release(true);
  }
}

async function tryTurn(session: PoolClient): Promise<boolean> {
  const { rows } = await session.query<{ taken: boolean }>(
    `SELECT pg_try_advisory_lock(hashtext('popshare.scheduler')) AS taken`,
  );
  return rows[0]?.taken === true;
}

/** @returns null when another run is at work */
async function openRunOf(
  warehouse: Warehouse,
  businessDate: string,
  purpose: 'nightly' | 'backfill',
): Promise<OpenRun | null> {
  try {
    return await openRun(warehouse, businessDate, purpose);
  } catch (error) {
    if (error instanceof PopshareError && error.code === 'RUN_IN_PROGRESS') return null;
    throw error;
  }
}

/**
 * Has the workers take the run to its end, and waits for it. Jobs that the queue has lost are added again: the
 * ledger knows what is done.
 */
async function runToEnd(desk: Desk, run: OpenRun, businessDate: string, stop: AbortSignal): Promise<void> {
  const { warehouse, queue } = desk;
  const { runId } = run;
  try {
    if (await endedMeanwhile(warehouse, runId, businessDate)) return;
    while (!stop.aborted) {
      // In this order, because a run is closed in the ledger before its last job leaves the queue.
      const isQueued = await queue.hasNight(runId);
      const status = await statusOf(warehouse, runId);
      if (status !== 'running') return tell(runId, businessDate, status);
      if (!isQueued) {
        log.info({ run: runId, date: businessDate }, 'the jobs of the night are added to the queue');
        await queue.addNight(runId, businessDate, desk);
      }
      await pause(stop);
    }
  } finally {
    await run.abandon();
  }
}

/**
 * Workers may have ended the night of a scheduler that is gone, just before this run overtook it. Then there is
 * nothing to do, and this run is no attempt. A run that somebody asked for is done whatever was done before.
 */
async function endedMeanwhile(warehouse: Warehouse, runId: RunId, businessDate: string): Promise<boolean> {
  const { numAffectedRows } = await sql`
    UPDATE ops.run SET status = 'interrupted', finished_at = now()
    WHERE run_id = ${runId} AND EXISTS (
      SELECT FROM ops.run WHERE business_date = ${businessDate} AND status = 'done'
      AND purpose IN ('nightly', 'backfill'))
      AND NOT EXISTS (SELECT FROM ops.run_request q WHERE q.run_id = ${runId})`.execute(warehouse.db);
  return numAffectedRows === 1n;
}

async function statusOf(warehouse: Warehouse, runId: RunId): Promise<string | undefined> {
  const { rows } = await sql<{ status: string }>`
    SELECT status FROM ops.run WHERE run_id = ${runId}`.execute(warehouse.db);
  return rows[0]?.status;
}

function tell(runId: RunId, businessDate: string, status: string | undefined): void {
  const entry = { run: runId, date: businessDate, outcome: status };
  if (status === 'done') log.info(entry, 'night done');
  else log.error(entry, 'the night is not done');
}

async function pause(stop: AbortSignal): Promise<void> {
  await setTimeout(POLL_MILLISECONDS, undefined, { signal: stop }).catch(() => {});
}
