import { z } from 'zod';
import { toRunId } from '../schema/ids.ts';
import type { Warehouse } from '../schema/warehouse/connect.ts';
import { assertCurrentRun } from '../schema/warehouse/fence.ts';
import { writeAnchor } from './audit-anchor.ts';
import { recordConfiguration } from './audit-configuration.ts';
import { NotYetError, waitForDepartment } from './department-rate.ts';
import { log } from './log.ts';
import { nightReport } from './night-report.ts';
import { closeRun, isStepDone } from './run.ts';
import { type Night, stepsOf, takeStep } from './steps.ts';

/** What a queue carries of a step: ids and names alone. `close` comes after all steps. */
export const nightJobSchema = z.strictObject({
  runId: z.number().transform(toRunId),
  businessDate: z.iso.date(),
  name: z.enum([
    'ingest',
    'identity',
    'population',
    'detect',
    'corrections',
    'publish',
    'retention',
    'close',
  ]),
  /** The feed or the rule; empty where a night has one job of the kind. */
  subject: z.string(),
});

export type NightJob = z.output<typeof nightJobSchema>;

/** The step that must be done before another makes sense. */
const NEEDS: Partial<Record<NightJob['name'], string>> = {
  population: 'identity',
  detect: 'population',
  publish: 'population',
};

/** What a worker has beside its jobs: all of a night but the run. */
export type House = Omit<Night, 'runId' | 'businessDate' | 'onRows'>;

/**
 * Takes one job of a night. The ledger decides what there is to do: a step that is done there is left alone, so a
 * job may come twice, also at the same time, to two workers.
 *
 * After a failure of identity or of the population picture no rule is run, because its doubts would rest on old links;
 * then, as after every step that has failed for good, the run is closed as failed.
 *
 * @throws STALE_WORKER when the run has been overtaken; a {@link NotYetError} when the job is to come again later; and
 *   whatever a step throws
 */
export async function takeJob(house: House, job: NightJob): Promise<void> {
  const { runId, businessDate, name, subject } = job;
  const night: Night = { ...house, runId, businessDate, onRows: () => {} };
  await alone(house.warehouse, `${runId} ${name} ${subject}`, async () => {
    if (name === 'close') return closeNight(night);
    const needed = NEEDS[name];
    if (needed !== undefined && !(await isStepDone(house.warehouse, runId, needed, ''))) {
      return log.warn({ run: runId, step: name, subject }, `step left out: ${needed} is not done`);
    }
    if (name === 'ingest') await awaitDepartment(night, subject);
    await takeStep(night, { name, subject });
  });
}

/** @throws NotYetError while the department's source is to be left alone */
async function awaitDepartment({ warehouse, configuration, runId }: Night, feed: string): Promise<void> {
  if (await isStepDone(warehouse, runId, 'ingest', feed)) return;
  const milliseconds = await waitForDepartment(warehouse, configuration, feed);
  if (milliseconds > 0) throw new NotYetError(milliseconds);
}

async function closeNight(night: Night): Promise<void> {
  await night.warehouse.db.transaction().execute((tx) => assertCurrentRun(tx, night.runId));
  const feeds = night.configuration.bindings.map(({ feed }) => feed);
  const report = await nightReport(night, stepsOf(feeds, night.rules));
  await closeRun(night.warehouse, night.runId, report.status, report);
  await recordConfiguration(night.warehouse, night.configuration.folder);
  await writeAnchor(night.warehouse, night.dataFolder, night.businessDate);
}

/** Does the work while no other worker does the same; the lock falls with the process that holds it. */
async function alone(warehouse: Warehouse, key: string, work: () => Promise<void>): Promise<void> {
  const session = await warehouse.pool.connect();
  session.on('error', (error) => log.warn({ err: error }, 'the session of the lock of a job has broken'));
  try {
    await session.query(`SELECT pg_advisory_lock(hashtext('popshare.job'), hashtext($1))`, [key]);
    await work();
  } finally {
    // Ends the session, and with it the lock.
    session.release(true);
  }
}
