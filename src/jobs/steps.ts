import { escalateOverdue } from '../anomalies/corrections/overdue.ts';
import { detect } from '../anomalies/detect.ts';
import { type DueDates, yearsLacking } from '../anomalies/queue/due-dates.ts';
import { enterMoves } from '../anomalies/queue/tallies.ts';
import type { Rule } from '../anomalies/rule-file.ts';
import type { TrainedModel } from '../identity/model/weights.ts';
import { reconcile } from '../identity/reconcile.ts';
import { weighReviews } from '../identity/review-worth.ts';
import { collect, openDeliveries } from '../ingest/collect.ts';
import { asCurrentRun } from '../ingest/current-run.ts';
import type { RunContext } from '../ingest/delivery.ts';
import { processDelivery } from '../ingest/process.ts';
import { recordFeedQuality } from '../population/indicators/feed-quality.ts';
import type { Indicator } from '../population/indicators/indicator-file.ts';
import { indicatorFailure, publishIndicators } from '../population/indicators/publish.ts';
import { updatePicture } from '../population/picture.ts';
import { loadPopulationSettings } from '../population/settings.ts';
import { loadSurvivorship } from '../population/survivorship.ts';
import { PopshareError } from '../schema/errors.ts';
import type { DeliveryId } from '../schema/ids.ts';
import { log } from './log.ts';
import { purge, purgeDate } from './retention/purge.ts';
import { step } from './run.ts';

/** One step of a night, by names alone. */
export interface Step {
  readonly name: 'ingest' | 'identity' | 'population' | 'detect' | 'corrections' | 'publish' | 'retention';
  /** The feed or the rule; empty where a night has one step of the kind. */
  readonly subject: string;
}

/** What the steps of one night work with. */
export interface Night extends RunContext {
  readonly rules: readonly Rule[];
  readonly indicators: readonly Indicator[];
  readonly model: TrainedModel;
  readonly dueDates: DueDates;
  /** Null when nothing is to be collected: the night goes on with what has landed. */
  readonly dropFolder: string | null;
}

/** The steps of a night, in order; after them the run is closed. */
export function stepsOf(feeds: readonly string[], rules: readonly Rule[]): Step[] {
  return [
    ...feeds.map((feed): Step => ({ name: 'ingest', subject: feed })),
    { name: 'identity', subject: '' },
    { name: 'population', subject: '' },
    ...rules.map(({ rule }): Step => ({ name: 'detect', subject: rule })),
    { name: 'corrections', subject: '' },
    { name: 'publish', subject: '' },
    { name: 'retention', subject: '' },
  ];
}

const WORK: Record<Step['name'], (night: Night, subject: string) => Promise<void>> = {
  ingest,
  identity: ({ warehouse, runId, model }) => reconcile(warehouse, runId, model),
  population,
  detect: detectRule,
  corrections: escalate,
  publish,
  retention: purgeExpired,
};

/**
 * Takes one step, unless the ledger has it as done. A rule that fails leaves the rest of the night alone: it fails
 * in the ledger, and the night with it. So does an indicator.
 *
 * @throws STALE_WORKER, FEED_UNKNOWN, and whatever the database throws
 */
export async function takeStep(night: Night, { name, subject }: Step): Promise<void> {
  try {
    await step(night.warehouse, night.runId, name, subject, () => WORK[name](night, subject));
  } catch (error) {
    const isOfAFile =
      error instanceof PopshareError && ['RULE_FAILED', 'INDICATOR_FAILED'].includes(error.code);
    if (!isOfAFile) throw error;
  }
}

/** Collects what has arrived of a feed, and takes each delivery that waits to its fate. */
async function ingest(night: Night, feed: string): Promise<void> {
  const binding = night.configuration.bindings.find((candidate) => candidate.feed === feed);
  if (binding === undefined) throw new PopshareError('FEED_UNKNOWN', `no binding for feed ${feed}`);
  if (night.dropFolder !== null) await collect(night, binding, night.dropFolder);
  for (const deliveryId of await openDeliveries(night, feed)) {
    await processDelivery(night, deliveryId);
    await tellOutcome(night, deliveryId);
  }
}

/** The reason is not told: it may name what was found in the file. `deliveries show` has it. */
async function tellOutcome({ warehouse, runId }: Night, deliveryId: DeliveryId): Promise<void> {
  const { feed, status, received, rejected } = await warehouse.db
    .selectFrom('ops.delivery')
    .select(['feed', 'status', 'received', 'rejected'])
    .where('delivery_id', '=', deliveryId)
    .executeTakeFirstOrThrow();
  const entry = { run: runId, delivery: deliveryId, feed, outcome: status, received, rejected };
  if (status === 'failed') log.error(entry, 'delivery failed');
  else log.info(entry, 'delivery processed');
}

async function population({ warehouse, runId, configuration, businessDate }: Night): Promise<void> {
  const { folder, settings } = configuration;
  const picture = {
    settings: await loadPopulationSettings(folder, settings.county),
    survivorship: await loadSurvivorship(folder),
  };
  await updatePicture(warehouse, runId, picture, businessDate);
}

async function detectRule(night: Night, code: string): Promise<void> {
  const rule = night.rules.find((candidate) => candidate.rule === code);
  if (rule === undefined) throw new PopshareError('RULE_FAILED', `${code}: no such rule`);
  const { warehouse, runId, businessDate, dueDates } = night;
  const summary = await detect({ warehouse, runId, asOf: businessDate, dueDates }, rule);
  log.debug({ run: runId, rule: code, ...summary }, 'rule evaluated');
}

/** After the rules: what they closed tonight is not overdue, and does not hang on a review any more. */
async function escalate(night: Night): Promise<void> {
  const { runId, businessDate } = night;
  await asCurrentRun(night, weighReviews);
  const escalated = await asCurrentRun(night, (tx) => escalateOverdue(tx, runId, businessDate));
  // Of two rules that end at once, one may have left its cases in the journal.
  await enterMoves(night.warehouse);
  const years = yearsLacking(night.dueDates, businessDate);
  if (years.length > 0)
    log.warn({ run: runId, years }, 'calendar.yaml lacks a year: due dates know weekends only');
  if (escalated > 0) log.warn({ run: runId, cases: escalated }, 'corrections are overdue');
}

/** The figures of the night, after everything that they count. What could be computed is published before a failure is told. */
async function publish(night: Night): Promise<void> {
  const { runId, configuration, indicators } = night;
  const { county, indicators: limits } = configuration.settings;
  const failures = await asCurrentRun(night, async (tx) => {
    await recordFeedQuality(tx, runId);
    return publishIndicators(tx, runId, { indicators, county, leastPersons: limits.least_persons });
  });
  if (failures.length > 0) throw indicatorFailure(failures);
}

/** Last: what the rules closed tonight, or opened, is known. */
async function purgeExpired({
  warehouse,
  configuration,
  dataFolder,
  runId,
  businessDate,
}: Night): Promise<void> {
  const order = {
    warehouse,
    settings: configuration.settings.retention,
    dataFolder,
    asOf: await purgeDate(warehouse, businessDate),
    now: new Date(),
  };
  for (const { what, before, count } of await purge(order, runId, 'popshare'))
    if (count > 0) log.info({ run: runId, what, before, count }, 'purged');
}
