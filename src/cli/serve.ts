import path from 'node:path';
import { loadDueDates } from '../anomalies/queue/due-dates.ts';
import { startNotices } from '../jobs/notices/clerk.ts';
import { connectQueue, type NightQueue } from '../jobs/queue.ts';
import { startScheduler } from '../jobs/scheduler.ts';
import { startWorker } from '../jobs/worker.ts';
import type { Warehouse } from '../schema/warehouse/connect.ts';
import { requireMigrated } from '../schema/warehouse/migrate.ts';
import { startServer } from '../server/start.ts';
import { tell } from './output.ts';
import { openSession, type Session } from './session.ts';

/** Under npx a Ctrl-C comes twice at once, from the terminal and from npm: that is one wish. */
const SAME_WISH_MILLISECONDS = 500;
const EXIT_AT_ONCE = 130;

/** What one process may be. */
export type Part = 'server' | 'scheduler' | 'worker';

/**
 * Runs parts of the service until the process is asked to stop: then jobs under way are finished, no more are taken,
 * and the process ends with 0. Asked a second time, it ends at once; the ledger knows what was not done.
 *
 * @throws the CONFIG_, DATABASE_, EMBEDDED_ and QUEUE_ codes, before any work
 */
export async function serve(parts: readonly Part[]): Promise<void> {
  const session = await openSession();
  const { environment, warehouse } = session;
  const stop = whenAskedToStop(warehouse);
  try {
    await requireMigrated(warehouse);
    const queue = await connectQueue({ databaseUrl: warehouse.url, redisUrl: environment.redisUrl });
    try {
      await work(session, queue, parts, stop);
    } finally {
      await queue.close();
    }
  } finally {
    await warehouse.close();
  }
}

async function work(
  session: Session,
  queue: NightQueue,
  parts: readonly Part[],
  stop: Promise<void>,
): Promise<void> {
  const { environment, configuration } = session;
  const dropFolder = path.resolve(environment.dropFolder ?? configuration.settings.drop);
  if (parts.includes('worker'))
    await startWorker({ ...session, dataFolder: environment.dataFolder, dropFolder }, queue);
  const server = parts.includes('server') ? await startServer(session, queue) : null;
  const dueDates = await loadDueDates(configuration);
  const stopScheduler = parts.includes('scheduler') ? startScheduler({ ...session, queue }) : null;
  const stopNotices = parts.includes('scheduler')
    ? startNotices({ ...session, dueDates, variables: process.env })
    : null;
  tell(
    `${parts.join(' and ')} at work, queue in ${environment.redisUrl === undefined ? 'Postgres' : 'Redis'}`,
  );
  if (server !== null) tell(`listening at ${server.url}; the API is described at ${server.url}/api/docs`);
  if (server !== null && server.setUpLink !== null)
    tell(`there is no account yet; within 24 hours, make the first administrator at ${server.setUpLink}`);
  await stop;
  tell('stopping: jobs under way are finished; ask again to stop at once');
  await server?.close();
  // Before the scheduler, which keeps the run of the jobs under way.
  await queue.finish();
  await stopScheduler?.();
  await stopNotices?.();
}

function whenAskedToStop(warehouse: Warehouse): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  let askedAt: number | null = null;
  const ask = (): void => {
    const now = performance.now();
    askedAt ??= now;
    resolve();
    if (now - askedAt > SAME_WISH_MILLISECONDS) warehouse.abort().finally(() => process.exit(EXIT_AT_ONCE));
  };
  process.on('SIGINT', ask);
  process.on('SIGTERM', ask);
  return promise;
}
