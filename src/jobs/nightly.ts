import { detect, type RuleSummary } from '../anomalies/detect.ts';
import type { Rule } from '../anomalies/rule-file.ts';
import { loadModel } from '../identity/model/model-file.ts';
import { withWeights } from '../identity/model/weights.ts';
import { type IdentitySummary, identitySummary, reconcile } from '../identity/reconcile.ts';
import { collect, openDeliveries } from '../ingest/collect.ts';
import type { RunContext } from '../ingest/delivery.ts';
import { processDelivery } from '../ingest/process.ts';
import type { Configuration } from '../schema/configuration/load.ts';
import { PopshareError } from '../schema/errors.ts';
import type { Warehouse } from '../schema/warehouse/connect.ts';
import { type DeliveryReport, deliveriesOf } from './deliveries.ts';
import { openRun, type Purpose, step } from './run.ts';

/** What a run is for. */
export interface NightlyOptions {
  readonly warehouse: Warehouse;
  readonly configuration: Configuration;
  readonly rules: readonly Rule[];
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

/** `nightly --json` of INTERFACE.md. */
export interface NightlyReport {
  readonly run_id: number;
  readonly date: string;
  readonly status: 'done' | 'failed';
  readonly deliveries: readonly DeliveryReport[];
  readonly identity: IdentitySummary & { readonly ms: number };
  readonly anomalies: Readonly<Record<string, RuleSummary>>;
  /** What went wrong with rules that failed, if any did. */
  readonly failed_rules?: readonly string[];
  readonly ms: number;
}

/**
 * One night, to the end. Safe to repeat: what is done is found done.
 *
 * A feed that fails leaves the rest of the night alone; so does a rule. A failure of identity ends the run,
 * because the doubts that follow would rest on old links.
 *
 * @throws RUN_IN_PROGRESS, STALE_WORKER, FEED_UNKNOWN, and whatever the database throws
 */
export async function runNight(options: NightlyOptions): Promise<NightlyReport> {
  const { warehouse, configuration, businessDate, progress } = options;
  const started = performance.now();
  const bindings = chosenBindings(options);
  const model = withWeights(await loadModel('persons', configuration.folder));
  const run = await openRun(warehouse, businessDate, options.purpose);
  const context: RunContext = {
    warehouse,
    configuration,
    dataFolder: options.dataFolder,
    runId: run.runId,
    businessDate,
    onRows: progress.rows,
  };
  const inStep = async <Result>(
    name: string,
    subject: string,
    work: () => Promise<Result>,
  ): Promise<Result> => {
    progress.stepBegan(name, subject);
    const result = await step(warehouse, run.runId, name, subject, work);
    progress.stepEnded(name, subject);
    return result;
  };

  try {
    for (const binding of bindings) {
      await inStep('ingest', binding.feed, async () => {
        if (options.dropFolder !== null) await collect(context, binding, options.dropFolder);
        for (const deliveryId of await openDeliveries(context, binding.feed))
          await processDelivery(context, deliveryId);
      });
    }

    const identityStarted = performance.now();
    await inStep('identity', '', () => reconcile(warehouse, run.runId, model));
    const identity = {
      ...(await identitySummary(warehouse)),
      ms: Math.round(performance.now() - identityStarted),
    };

    const anomalies: Record<string, RuleSummary> = {};
    const failedRules: string[] = [];
    for (const rule of options.rules) {
      try {
        anomalies[rule.rule] = await inStep('detect', rule.rule, () =>
          detect({ warehouse, runId: run.runId, asOf: businessDate }, rule),
        );
      } catch (error) {
        if (!(error instanceof PopshareError) || error.code !== 'RULE_FAILED') throw error;
        failedRules.push(error.message);
      }
    }

    const deliveries = await deliveriesOf(warehouse, businessDate, options.feeds);
    const failed = failedRules.length > 0 || deliveries.some((delivery) => delivery.status === 'failed');
    const status = failed ? 'failed' : 'done';
    const report: NightlyReport = {
      run_id: run.runId,
      date: businessDate,
      status,
      deliveries,
      identity,
      anomalies,
      ...(failedRules.length > 0 ? { failed_rules: failedRules } : {}),
      ms: Math.round(performance.now() - started),
    };
    await run.close(status, report);
    return report;
  } catch (error) {
    const code = error instanceof PopshareError ? error.code : 'UNEXPECTED';
    await run.close('failed', { error: code }).catch(() => run.abandon());
    throw error;
  }
}

function chosenBindings({ configuration, feeds }: NightlyOptions): Configuration['bindings'] {
  for (const feed of feeds) {
    if (!configuration.bindings.some((binding) => binding.feed === feed)) {
      throw new PopshareError('FEED_UNKNOWN', `no binding for feed ${feed}`);
    }
  }
  return feeds.length === 0
    ? configuration.bindings
    : configuration.bindings.filter(({ feed }) => feeds.includes(feed));
}
