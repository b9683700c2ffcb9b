import { sql } from 'kysely';
import type { RuleSummary } from '../anomalies/detect.ts';
import { yearsLacking } from '../anomalies/queue/due-dates.ts';
import { type DoubtfulRule, doubtfulOfLate } from '../anomalies/queue/worth.ts';
import { type IdentitySummary, identitySummary } from '../identity/reconcile.ts';
import type { RunId } from '../schema/ids.ts';
import type { Warehouse } from '../schema/warehouse/connect.ts';
import { type DeliveryReport, deliveriesOf } from './deliveries.ts';
import { type LateFeed, lateFeeds } from './late-feeds.ts';
import type { Night, Step } from './steps.ts';

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
  /** What went wrong with indicators that failed, if any did. */
  readonly failed_indicators?: readonly string[];
  /** Feeds that were not here by the end of the first night of the date, if any were not. */
  readonly late_feeds?: readonly LateFeed[];
  /** Rules of which officers dismissed many cases of late, if there are any. */
  readonly doubtful_rules?: readonly DoubtfulRule[];
  /** What an operator should mend before it does harm. */
  readonly warnings?: readonly string[];
  readonly ms: number;
}

/** A step as the ledger has it. */
interface LedgerStep {
  readonly name: string;
  readonly subject: string;
  readonly status: string;
  readonly message: string | null;
  readonly ms: number | null;
}

/**
 * What a night came to, read from the ledger and the cases alone: whoever did its steps, here or in workers.
 *
 * @param steps what was to be done; the night has failed unless all of it is done
 */
export async function nightReport(
  {
    warehouse,
    runId,
    businessDate,
    configuration,
    dueDates,
  }: Pick<Night, 'warehouse' | 'runId' | 'businessDate' | 'configuration' | 'dueDates'>,
  steps: readonly Step[],
): Promise<NightlyReport> {
  const feeds = steps.filter(({ name }) => name === 'ingest').map(({ subject }) => subject);
  const deliveries = await deliveriesOf(warehouse, businessDate, feeds);
  const taken = await stepsTaken(warehouse, runId);
  const done = taken.filter(({ status }) => status === 'done');
  const allDone = steps.every(({ name, subject }) =>
    done.some((step) => step.name === name && step.subject === subject),
  );
  const deliveryFailed = deliveries.some(({ status }) => status === 'failed');
  const failuresOf = (step: Step['name']): string[] =>
    taken
      .filter(({ name, status }) => name === step && status === 'failed')
      .map(({ message }) => message ?? '');
  const failedRules = failuresOf('detect');
  const failedIndicators = failuresOf('publish');
  const late = await lateFeeds(warehouse.db, configuration, businessDate);
  const doubtful = await doubtfulOfLate(warehouse, configuration.settings.queue);
  const lacking = yearsLacking(dueDates, businessDate);
  return {
    run_id: runId,
    date: businessDate,
    status: allDone && !deliveryFailed ? 'done' : 'failed',
    deliveries,
    identity: {
      ...(await identitySummary(warehouse)),
      ms: done.find(({ name }) => name === 'identity')?.ms ?? 0,
    },
    anomalies: await anomaliesOf(warehouse, runId),
    ...(failedRules.length > 0 ? { failed_rules: failedRules } : {}),
    ...(failedIndicators.length > 0 ? { failed_indicators: failedIndicators } : {}),
    ...(late.length > 0 ? { late_feeds: late } : {}),
    ...(doubtful.length > 0 ? { doubtful_rules: doubtful } : {}),
    ...(lacking.length > 0 ? { warnings: [calendarWarning(lacking)] } : {}),
    ms: await millisecondsOf(warehouse, runId),
  };
}

function calendarWarning(years: readonly number[]): string {
  return `calendar.yaml has no year ${years.join(', ')}: due dates there know weekends only 日历缺少该年节假日`;
}

async function stepsTaken(warehouse: Warehouse, runId: RunId): Promise<LedgerStep[]> {
  const { rows } = await sql<LedgerStep>`
    SELECT name, subject, status, message,
           round(extract(epoch FROM finished_at - started_at) * 1000)::int AS ms
    FROM ops.step WHERE run_id = ${runId} ORDER BY step_id`.execute(warehouse.db);
  return rows;
}

/** What the rules that ran did to their cases. */
async function anomaliesOf(warehouse: Warehouse, runId: RunId): Promise<Record<string, RuleSummary>> {
  const { rows } = await sql<RuleSummary & { rule: string }>`
    WITH told AS (
      SELECT a.rule, count(*) FILTER (WHERE e.kind = 'opened') AS opened,
             count(*) FILTER (WHERE e.kind = 'reopened') AS reopened,
             count(*) FILTER (WHERE e.kind = 'healed') AS closed
      FROM anomalies.anomaly_event e JOIN anomalies.anomaly a USING (anomaly_id)
      WHERE e.run_id = ${runId} GROUP BY a.rule),
    standing AS (
      SELECT rule, sum(cases)::bigint AS open FROM anomalies.tally
      WHERE status NOT IN ('resolved', 'dismissed') GROUP BY rule)
    SELECT s.subject AS rule, coalesce(told.opened, 0) AS opened, coalesce(told.reopened, 0) AS reopened,
           coalesce(told.closed, 0) AS closed, coalesce(standing.open, 0) AS open
    FROM ops.step s LEFT JOIN told ON told.rule = s.subject LEFT JOIN standing ON standing.rule = s.subject
    WHERE s.run_id = ${runId} AND s.name = 'detect' AND s.status = 'done'
    ORDER BY s.step_id`.execute(warehouse.db);
  return Object.fromEntries(rows.map(({ rule, ...summary }) => [rule, summary]));
}

async function millisecondsOf(warehouse: Warehouse, runId: RunId): Promise<number> {
  const { rows } = await sql<{ ms: number }>`
    SELECT round(extract(epoch FROM clock_timestamp() - started_at) * 1000)::int AS ms
    FROM ops.run WHERE run_id = ${runId}`.execute(warehouse.db);
  return rows[0]?.ms ?? 0;
}
