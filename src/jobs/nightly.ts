import path from 'node:path';
import { loadDueDates } from '../anomalies/queue/due-dates.ts';
import type { Rule } from '../anomalies/rule-file.ts';
import { loadModel } from '../identity/model/model-file.ts';
import { withWeights } from '../identity/model/weights.ts';
import { type Indicator, loadIndicators } from '../population/indicators/indicator-file.ts';
import type { Configuration } from '../schema/configuration/load.ts';
import { PopshareError } from '../schema/errors.ts';
import type { Warehouse } from '../schema/warehouse/connect.ts';
import { writeAnchor } from './audit-anchor.ts';
import { recordConfiguration } from './audit-configuration.ts';
import { type NightlyReport, nightReport } from './night-report.ts';
import { openRun, type Purpose } from './run.ts';
import { type Night, type Step, stepsOf, takeStep } from './steps.ts';

export type { NightlyReport };

/** What a run is for. */
export interface NightlyOptions {
  readonly warehouse: Warehouse;
  readonly configuration: Configuration;
  readonly rules: readonly Rule[];
  /** Those of the configuration folder unless given. */
  readonly indicators?: readonly Indicator[];
  readonly dataFolder: string;
  /** Null when nothing is to be collected: the run goes on with what has landed. */
  readonly dropFolder: string | null;
  /** YYYY-MM-DD */
  readonly businessDate: string;
  readonly purpose: Purpose;
  /** Only these feeds are collected and read; empty means all. */
  readonly feeds: readonly string[];
  readonly progress: Progress;
}

/** Told as the night goes on. */
export interface Progress {
  stepBegan(name: string, subject: string): void;
  stepEnded(name: string, subject: string): void;
  rows(feed: string, rows: number): void;
}

/**
 * One night, to the end, in this process. Safe to repeat: what is done is found done.
 *
 * A delivery that fails leaves the rest of the night alone; so does a rule. A failure of identity ends the run,
 * because the doubts that follow would rest on old links.
 *
 * @throws RUN_IN_PROGRESS, STALE_WORKER, FEED_UNKNOWN, and whatever the database throws
 */
export async function runNight(options: NightlyOptions): Promise<NightlyReport> {
  const { warehouse, configuration, businessDate, progress } = options;
  const steps = stepsOf(chosenFeeds(options), options.rules);
  const model = withWeights(await loadModel('persons', configuration.folder));
  const dueDates = await loadDueDates(configuration);
  const indicators =
    options.indicators ?? (await loadIndicators(path.join(configuration.folder, 'indicators')));
  const run = await openRun(warehouse, businessDate, options.purpose);
  const night: Night = { ...options, indicators, model, dueDates, runId: run.runId, onRows: progress.rows };
  try {
    await takeSteps(night, steps, progress);
    const report = await nightReport(night, steps);
    await run.close(report.status, report);
    await recordConfiguration(warehouse, configuration.folder);
    await writeAnchor(warehouse, options.dataFolder, businessDate);
    return report;
  } catch (error) {
    const code = error instanceof PopshareError ? error.code : 'UNEXPECTED';
    await run.close('failed', { error: code }).catch(() => run.abandon());
    throw error;
  }
}

/** Each step after the one before it; only rules, which do not rest on one another, are taken two at a time. */
async function takeSteps(night: Night, steps: readonly Step[], progress: Progress): Promise<void> {
  const waiting = [...steps];
  const isRule = (step: Step | undefined): boolean => step?.name === 'detect';
  const takeNext = async (): Promise<void> => {
    const step = waiting.shift();
    if (step === undefined) return;
    progress.stepBegan(step.name, step.subject);
    await takeStep(night, step);
    progress.stepEnded(step.name, step.subject);
  };
  const takeRules = async (): Promise<void> => {
    while (isRule(waiting[0])) await takeNext();
  };
  while (waiting.length > 0) {
    if (!isRule(waiting[0])) await takeNext();
    else await together(waiting, takeRules);
  }
}

/** Does the work twice, side by side. When one fails, the other begins nothing new, and is waited for. */
async function together(waiting: Step[], work: () => Promise<void>): Promise<void> {
  const stopping = async (): Promise<void> => {
    try {
      await work();
    } catch (error) {
      waiting.length = 0;
      throw error;
    }
  };
  const outcomes = await Promise.allSettled([stopping(), stopping()]);
  const failed = outcomes.find(({ status }) => status === 'rejected');
  if (failed?.status === 'rejected') throw failed.reason;
}

/** @throws FEED_UNKNOWN */
function chosenFeeds({ configuration, feeds }: NightlyOptions): string[] {
  const bound = configuration.bindings.map(({ feed }) => feed);
  for (const feed of feeds) {
    if (!bound.includes(feed)) throw new PopshareError('FEED_UNKNOWN', `no binding for feed ${feed}`);
  }
  return feeds.length === 0 ? bound : bound.filter((feed) => feeds.includes(feed));
}
