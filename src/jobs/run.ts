import { sql } from 'kysely';
import type { PoolClient } from 'pg';
import { PopshareError } from '../schema/errors.ts';
import { messageWithoutValues } from '../schema/failure.ts';
import { type RunId, toRunId } from '../schema/ids.ts';
import type { Warehouse } from '../schema/warehouse/connect.ts';
import { log } from './log.ts';

export type Purpose = 'nightly' | 'backfill' | 'release' | 'refuse' | 'replay' | 'decision' | 'purge';

/** A run that holds the warehouse: its id is its fencing token. */
export interface OpenRun {
  readonly runId: RunId;
  /** Ends the run in the ledger and lets the next one begin. */
  close(status: 'done' | 'failed', summary: unknown): Promise<void>;
  /**
   * Lets the next run begin without a word in the ledger: the run has been overtaken, or its last job has closed it
   * there, or the database is gone.
   */
  abandon(): Promise<void>;
}

/** The session lock that keeps other runs away, as a number of Postgres's advisory locks. */
const RUN_LOCK = `hashtext('popshare.run')::bigint`;
const HEARTBEAT_MILLISECONDS = 5_000;
/** A run whose heart has not beaten for so long is taken for dead, even while its session still holds the lock. */
const DEAD_AFTER = '60 seconds';
const SESSION_END_MILLISECONDS = 5_000;

/**
 * Begins a run. One run at a time: the session lock falls with the process that held it, so a run killed
 * a moment ago is followed at once; a run that hangs without a heartbeat is ended.
 *
 * After: every other run that was `running` is `interrupted`, and none of them can commit any more.
 *
 * @throws RUN_IN_PROGRESS when another run is alive
 */
export async function openRun(
  warehouse: Warehouse,
  businessDate: string,
  purpose: Purpose,
): Promise<OpenRun> {
  const session = await warehouse.pool.connect();
  // A session that breaks while it only holds the lock ends nothing: the fence decides at the next commit.
  session.on('error', (error) => log.warn({ err: error }, 'the session of the lock of the run has broken'));
  try {
    await acquireLock(session, warehouse);
    const runId = await beginRun(warehouse, businessDate, purpose);
    log.info({ run: runId, date: businessDate, purpose }, 'run begun');
    const heartbeat = setInterval(() => {
      // A beat that fails ends nothing: the fence decides at the next commit.
      sql`UPDATE ops.run SET heartbeat_at = now() WHERE run_id = ${runId}`
        .execute(warehouse.db)
        .catch((error) => log.warn({ run: runId, err: error }, 'heartbeat failed'));
    }, HEARTBEAT_MILLISECONDS);
    heartbeat.unref();
    const release = async (): Promise<void> => {
      clearInterval(heartbeat);
      // The server may take its time to see a connection end; the next run need not wait for that.
      await session.query(`SELECT pg_advisory_unlock(${RUN_LOCK})`).catch(() => {});
      session.release(true);
    };
    return {
      runId,
      async close(status, summary) {
        await closeRun(warehouse, runId, status, summary);
        await release();
      },
      abandon: release,
    };
  } catch (error) {
    session.release(true);
    throw error;
  }
}

/** Ends a run in the ledger, if it has not ended. Whoever opened it still has to let the next one begin. */
export async function closeRun(
  warehouse: Warehouse,
  runId: RunId,
  status: 'done' | 'failed',
  summary: unknown,
): Promise<void> {
  const { numAffectedRows } = await sql`
    UPDATE ops.run SET status = ${status}, finished_at = now(), summary = ${JSON.stringify(summary)}::jsonb
    WHERE run_id = ${runId} AND status = 'running'`.execute(warehouse.db);
  if (numAffectedRows === 1n) log.info({ run: runId, outcome: status }, 'run ended');
}

async function acquireLock(session: PoolClient, warehouse: Warehouse): Promise<void> {
  if (await tryLock(session)) return;
  const { rows } = await sql<{ run_id: number; business_date: string; alive: boolean }>`
    SELECT run_id, business_date, heartbeat_at > now() - ${DEAD_AFTER}::interval AS alive
    FROM ops.run WHERE status = 'running' ORDER BY run_id DESC LIMIT 1`.execute(warehouse.db);
  const other = rows[0];
  if (other === undefined)
    throw new PopshareError('RUN_IN_PROGRESS', 'another run is just beginning or ending');
  if (!other.alive) {
    await endSessionsOfRun(warehouse);
    if (await tryLock(session)) return;
  }
  throw new PopshareError('RUN_IN_PROGRESS', `run ${other.run_id} for ${other.business_date} is at work`);
}

async function tryLock(session: PoolClient): Promise<boolean> {
  const { rows } = await session.query<{ locked: boolean }>(
    `SELECT pg_try_advisory_lock(${RUN_LOCK}) AS locked`,
  );
  return rows[0]?.locked === true;
}

/**
 * Ends what a dead run left open on the server: the session of its lock, transactions inside the fence, a COPY
 * into its stage. A host that lost its power or its network leaves them there for hours, and the next run would
 * wait for them.
 */
async function endSessionsOfRun(warehouse: Warehouse): Promise<void> {
  await sql`
    SELECT pg_terminate_backend(pid, ${SESSION_END_MILLISECONDS}) FROM (
      SELECT DISTINCT l.pid
      FROM pg_locks l JOIN pg_database d ON d.oid = l.database LEFT JOIN pg_class c ON c.oid = l.relation
      WHERE d.datname = current_database() AND l.granted AND l.pid <> pg_backend_pid()
        AND ((l.locktype = 'advisory' AND (l.classid::bigint << 32 | l.objid::bigint) = ${sql.raw(RUN_LOCK)})
             OR c.oid = 'ops.fence'::regclass OR c.relnamespace = 'stage'::regnamespace)
    ) held`.execute(warehouse.db);
}

/** The new run takes the fence: it waits for commits under way, and from here on nobody else's are let through. */
async function beginRun(warehouse: Warehouse, businessDate: string, purpose: Purpose): Promise<RunId> {
  return warehouse.db.transaction().execute(async (tx) => {
    await sql`SELECT run_id FROM ops.fence FOR UPDATE`.execute(tx);
    await sql`
      UPDATE ops.run SET status = 'interrupted', finished_at = now() WHERE status = 'running'`.execute(tx);
    const { rows } = await sql<{ run_id: number }>`
      INSERT INTO ops.run (business_date, purpose, status) VALUES (${businessDate}, ${purpose}, 'running')
      RETURNING run_id`.execute(tx);
    const runId = toRunId(rows[0]?.run_id ?? 0);
    await sql`UPDATE ops.fence SET run_id = ${runId}`.execute(tx);
    return runId;
  });
}

/**
 * Runs one step of a run, with its beginning and end in the ledger. A step that is done there is not done again;
 * one that failed, or whose worker died in it, is.
 *
 * @param subject what the step works on, when a run has several of the kind (a feed, a rule)
 * @throws STALE_WORKER when the run has been overtaken or has ended, and whatever the work throws
 */
export async function step(
  warehouse: Warehouse,
  runId: RunId,
  name: string,
  subject: string,
  work: () => Promise<void>,
): Promise<void> {
  const stepId = await beginStep(warehouse, runId, name, subject);
  if (stepId === null) return;
  const entry = { run: runId, step: name, subject };
  log.debug(entry, 'step begun');
  const end = async (status: 'done' | 'failed', message: string | null): Promise<void> => {
    await sql`
      UPDATE ops.step SET status = ${status}, finished_at = clock_timestamp(), message = ${message}
      WHERE step_id = ${stepId}`.execute(warehouse.db);
  };
  try {
    await work();
    await end('done', null);
    log.info(entry, 'step done');
  } catch (error) {
    log.error({ ...entry, err: error }, 'step failed');
    await end('failed', messageWithoutValues(error)).catch((lost) =>
      log.error({ ...entry, err: lost }, 'the failure of the step could not be entered in the ledger'),
    );
    throw error;
  }
}

/** @returns null when the step is done */
async function beginStep(
  warehouse: Warehouse,
  runId: RunId,
  name: string,
  subject: string,
): Promise<number | null> {
  const begun = await sql<{ step_id: number }>`
    INSERT INTO ops.step AS known (run_id, name, subject, status)
    SELECT run_id, ${name}, ${subject}, 'running' FROM ops.fence JOIN ops.run USING (run_id)
    WHERE run_id = ${runId} AND ops.run.status = 'running'
    ON CONFLICT (run_id, name, subject) DO UPDATE
      SET status = 'running', started_at = clock_timestamp(), finished_at = NULL, message = NULL
      WHERE known.status <> 'done'
    RETURNING step_id`.execute(warehouse.db);
  const stepId = begun.rows[0]?.step_id;
  if (stepId !== undefined) return stepId;
  if (await isStepDone(warehouse, runId, name, subject)) return null;
  throw new PopshareError('STALE_WORKER', `run ${runId} has been overtaken, or has ended`);
}

/** Whether the ledger has the step as done. */
export async function isStepDone(
  warehouse: Warehouse,
  runId: RunId,
  name: string,
  subject: string,
): Promise<boolean> {
  const { rows } = await sql`
    SELECT FROM ops.step
    WHERE run_id = ${runId} AND name = ${name} AND subject = ${subject} AND status = 'done'`.execute(
    warehouse.db,
  );
  return rows.length > 0;
}
