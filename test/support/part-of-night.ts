import { loadDueDates } from '../../src/anomalies/queue/due-dates.ts';
import { loadModel } from '../../src/identity/model/model-file.ts';
import { withWeights } from '../../src/identity/model/weights.ts';
import { nightReport } from '../../src/jobs/night-report.ts';
import type { NightlyOptions, NightlyReport } from '../../src/jobs/nightly.ts';
import { openRun } from '../../src/jobs/run.ts';
import { type Step, stepsOf, takeStep } from '../../src/jobs/steps.ts';

/**
 * A night that takes some of its steps alone, one after the other. A night of a few rows costs what its statements
 * cost, and most tests are about few of them.
 */
export async function partOfNight(
  options: NightlyOptions,
  names: readonly Step['name'][],
): Promise<NightlyReport> {
  const { warehouse, configuration, businessDate, purpose, feeds, rules, progress } = options;
  const steps = stepsOf(feeds, rules).filter(({ name }) => names.includes(name));
  const run = await openRun(warehouse, businessDate, purpose);
  const night = {
    ...options,
    indicators: [],
    model: withWeights(await loadModel('persons', configuration.folder)),
    dueDates: await loadDueDates(configuration),
    runId: run.runId,
    onRows: progress.rows,
  };
  try {
    for (const step of steps) await takeStep(night, step);
    const report = await nightReport(night, steps);
    await run.close(report.status, report);
    return report;
  } catch (error) {
    await run.close('failed', null);
    throw error;
  }
}
