import path from 'node:path';
import { loadDueDates } from '../anomalies/queue/due-dates.ts';
import { loadModel } from '../identity/model/model-file.ts';
import { withWeights } from '../identity/model/weights.ts';
import { loadIndicators } from '../population/indicators/indicator-file.ts';
import type { Configuration } from '../schema/configuration/load.ts';
import { type House, takeJob } from './night-job.ts';
import type { NightQueue } from './queue.ts';

/**
 * Takes jobs of nights from the queue, `schedule.jobs` of them at a time, until the queue is closed: then those under
 * way are finished, and no more are taken. The configuration is as it was when the worker started.
 *
 * @throws CONFIG_INVALID and MODEL_UNTRAINED before any work
 */
export async function startWorker(house: Omit<House, keyof Equipment>, queue: NightQueue): Promise<void> {
  const equipped: House = { ...house, ...(await equipment(house.configuration)) };
  await queue.work((job) => takeJob(equipped, job), house.configuration.settings.schedule.jobs);
}

type Equipment = Pick<House, 'model' | 'dueDates' | 'indicators'>;

/** What the steps of a night need beside the configuration. */
export async function equipment(configuration: Configuration): Promise<Equipment> {
  return {
    model: withWeights(await loadModel('persons', configuration.folder)),
    dueDates: await loadDueDates(configuration),
    indicators: await loadIndicators(path.join(configuration.folder, 'indicators')),
  };
}
