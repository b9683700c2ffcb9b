import { setTimeout as sleep } from 'node:timers/promises';
import {
  CompiledQuery,
  type DatabaseConnection,
  Kysely,
  PostgresAdapter,
  PostgresIntrospector,
  PostgresQueryCompiler,
  sql,
  type Transaction,
} from 'kysely';
import pg from 'pg';
import type { DB } from '../../schema/database.ts';
import { PopshareError } from '../../schema/errors.ts';
import { type RunId, toRunId } from '../../schema/ids.ts';
import type { Warehouse } from '../../schema/warehouse/connect.ts';

/** How often it is asked whether somebody waits for the trial. */
const GLANCE_MILLISECONDS = 500;
/** A run whose heart has not beaten for so long is taken for dead, as the next run takes it. */
const DEAD_AFTER = '60 seconds';
const LOCK_NOT_AVAILABLE = '55P03';
const QUERY_CANCELED = '57014';

/**
 * Does work on the warehouse as a run would, and takes it all back. The transaction holds the fence, so the work sees
 * what the last run left. Whoever waits for it, a run that wants to begin above all, waits half a second: then the
 * trial gives way.
 *
 * What is taken back leaves no rows, but gaps in the numbers of persons, events and reviews.
 *
 * @param work is given the transaction, a warehouse whose statements all go into it (its `pool` is outside), and the
 * id of a run that will not have been
 * @throws RUN_IN_PROGRESS when a run is at work, or somebody waits before the trial is done
 */
export async function tryOut<Result>(
  warehouse: Warehouse,
  work: (tx: Transaction<DB>, inside: Warehouse, runId: RunId) => Promise<Result>,
): Promise<Result> {
  const tx = await warehouse.db.startTransaction().execute();
  try {
    const runId = await takeFence(tx);
    return await givingWay(warehouse, tx, () =>
      tx
        .getExecutor()
        .provideConnection((connection) => work(tx, { ...warehouse, db: insideOf(connection) }, runId)),
    );
  } finally {
    await tx.rollback().execute();
  }
}

/** After: no run can begin, and the fence is that of a run of the last business date. @throws RUN_IN_PROGRESS */
async function takeFence(tx: Transaction<DB>): Promise<RunId> {
  await sql`SELECT FROM ops.fence FOR UPDATE NOWAIT`.execute(tx).catch((cause: unknown) => {
    if (codeOf(cause) !== LOCK_NOT_AVAILABLE) throw cause;
    throw new PopshareError('RUN_IN_PROGRESS', 'a run is at work', { cause });
  });
  const { rows: running } = await sql<{ run_id: number; business_date: string }>`
    SELECT run_id, business_date FROM ops.run
    WHERE status = 'running' AND heartbeat_at > now() - ${DEAD_AFTER}::interval`.execute(tx);
  for (const { run_id, business_date } of running)
    throw new PopshareError('RUN_IN_PROGRESS', `run ${run_id} for ${business_date} is at work`);
  const { rows } = await sql<{ run_id: number }>`
    INSERT INTO ops.run (run_id, business_date, purpose, status) OVERRIDING SYSTEM VALUE
    SELECT run_id + 1, business_date, 'nightly', 'running' FROM ops.run ORDER BY run_id DESC LIMIT 1
    RETURNING run_id`.execute(tx);
  const runId = toRunId(rows[0]?.run_id ?? 0);
  await sql`UPDATE ops.fence SET run_id = ${runId}`.execute(tx);
  return runId;
}

/** Works until somebody waits for the transaction. @throws RUN_IN_PROGRESS then */
async function givingWay<Result>(
  warehouse: Warehouse,
  tx: Transaction<DB>,
  work: () => Promise<Result>,
): Promise<Result> {
  const { rows } = await sql<{ pid: number }>`SELECT pg_backend_pid() AS pid`.execute(tx);
  const done = new AbortController();
  let gaveWay = false;
  const watch = async (): Promise<void> => {
    while (!done.signal.aborted) {
      const { rows: waiting } = await sql`
        SELECT pg_cancel_backend(own.pid) FROM (SELECT ${rows[0]?.pid ?? 0}::integer AS pid) own
        WHERE EXISTS (SELECT FROM pg_stat_activity a
                      WHERE a.wait_event_type = 'Lock' AND own.pid = ANY (pg_blocking_pids(a.pid)))`.execute(
        warehouse.db,
      );
      gaveWay ||= waiting.length > 0;
      await sleep(GLANCE_MILLISECONDS, undefined, { signal: done.signal }).catch(() => {});
    }
  };
  const watching = watch();
  try {
    return await work();
  } catch (cause) {
    // The glance that ended the statement may not have returned yet.
    done.abort();
    await watching;
    if (!gaveWay || codeOf(cause) !== QUERY_CANCELED) throw cause;
    throw new PopshareError('RUN_IN_PROGRESS', 'another run wants to begin, and goes first', { cause });
  } finally {
    done.abort();
    await watching;
  }
}

/** Statements on one connection that is in a transaction already: what they begin and commit is a savepoint. */
function insideOf(connection: DatabaseConnection): Kysely<DB> {
  const run = (statement: string) => async (): Promise<void> => {
    await connection.executeQuery(CompiledQuery.raw(statement));
  };
  const nothing = async (): Promise<void> => {};
  return new Kysely<DB>({
    dialect: {
      createAdapter: () => new PostgresAdapter(),
      createDriver: () => ({
        init: nothing,
        acquireConnection: async () => connection,
        beginTransaction: run('SAVEPOINT inside'),
        commitTransaction: run('RELEASE SAVEPOINT inside'),
        rollbackTransaction: run('ROLLBACK TO SAVEPOINT inside'),
        releaseConnection: nothing,
        destroy: nothing,
      }),
      createIntrospector: (db) => new PostgresIntrospector(db),
      createQueryCompiler: () => new PostgresQueryCompiler(),
    },
  });
}

function codeOf(error: unknown): string | undefined {
  return error instanceof pg.DatabaseError ? error.code : undefined;
}
