import { sql } from 'kysely';
import type { QueueSettings } from '../../schema/configuration/settings.ts';
import type { Queryable } from '../../schema/warehouse/connect.ts';
import { today } from '../../schema/warehouse/today.ts';
import { CONFIRMING_REASONS } from './transitions.ts';

/** What came of a rule's cases in a period. */
export interface RuleWorth {
  readonly rule: string;
  /** Cases that opened or reopened. */
  readonly opened: number;
  /** Resolved with a reason that says so, or mended by the department that it was returned to. */
  readonly confirmed: number;
  readonly dismissed: number;
  /** Gone with the data, before a department was asked. */
  readonly self_healed: number;
  /** Resolved for another reason. */
  readonly resolved_otherwise: number;
  /** Days from opening to closing of what was closed in the period; null when nothing was. */
  readonly median_age_days: number | null;
  /** Open now. */
  readonly open: number;
}

/**
 * A rule's worth over time, from the events of its cases, by rule. Closings that an undone bulk action made do
 * not count.
 *
 * @param from YYYY-MM-DD, the first day
 * @param to YYYY-MM-DD, the last day
 */
export async function ruleWorth(warehouse: Queryable, from: string, to: string): Promise<RuleWorth[]> {
  const { rows } = await sql<RuleWorth>`
    WITH told AS (
      SELECT a.rule, e.anomaly_id, e.event_id, e.kind, e.from_status, e.to_status, e.reason, e.on_date
      FROM anomalies.anomaly_event e JOIN anomalies.anomaly a USING (anomaly_id)
      LEFT JOIN anomalies.bulk_action b USING (bulk_id)
      WHERE e.on_date BETWEEN ${from}::date AND ${to}::date AND b.undone_at IS NULL
        AND e.kind IN ('opened', 'reopened', 'healed', 'resolved', 'dismissed')),
    ended AS (
      SELECT t.*, t.on_date - (
        SELECT o.on_date FROM anomalies.anomaly_event o
        WHERE o.anomaly_id = t.anomaly_id AND o.event_id < t.event_id AND o.kind IN ('opened', 'reopened')
        ORDER BY o.event_id DESC LIMIT 1) AS age
      FROM told t WHERE t.kind IN ('healed', 'resolved', 'dismissed') AND t.from_status IN ('new', 'assigned', 'returned')),
    begun AS (SELECT rule, count(*) AS opened FROM told WHERE kind IN ('opened', 'reopened') GROUP BY rule),
    done AS (
      SELECT rule,
             count(*) FILTER (WHERE (kind = 'resolved' AND reason = ANY (${CONFIRMING_REASONS}))
                                 OR (kind = 'healed' AND from_status = 'returned')) AS confirmed,
             count(*) FILTER (WHERE kind = 'dismissed') AS dismissed,
             count(*) FILTER (WHERE kind = 'healed' AND from_status <> 'returned') AS self_healed,
             count(*) FILTER (WHERE kind = 'resolved' AND reason <> ALL (${CONFIRMING_REASONS})) AS resolved_otherwise,
             percentile_cont(0.5) WITHIN GROUP (ORDER BY age) AS median_age_days
      FROM ended GROUP BY rule),
    standing AS (
      SELECT rule, sum(cases)::bigint AS open FROM anomalies.tally
      WHERE status IN ('new', 'assigned', 'returned') GROUP BY rule)
    SELECT rule, coalesce(opened, 0) AS opened, coalesce(confirmed, 0) AS confirmed, coalesce(dismissed, 0) AS dismissed,
           coalesce(self_healed, 0) AS self_healed, coalesce(resolved_otherwise, 0) AS resolved_otherwise,
           median_age_days, coalesce(open, 0) AS open
    FROM begun FULL JOIN done USING (rule) FULL JOIN standing USING (rule) ORDER BY rule`.execute(
    warehouse.db,
  );
  return rows;
}

/** A rule of whose closed cases officers dismissed many. */
export interface DoubtfulRule {
  readonly rule: string;
  /** Closed by officers in the period. */
  readonly closed: number;
  readonly dismissed: number;
  readonly dismissed_percent: number;
}

/** So many days back is of late. */
export const DOUBT_DAYS = 90;
const MILLISECONDS_A_DAY = 86_400_000;

/** {@link doubtfulRules} of the last 90 days. */
export async function doubtfulOfLate(warehouse: Queryable, settings: QueueSettings): Promise<DoubtfulRule[]> {
  const to = await today(warehouse);
  const from = new Date(Date.parse(to) - DOUBT_DAYS * MILLISECONDS_A_DAY).toISOString().slice(0, 10);
  return doubtfulRules(warehouse, settings, from, to);
}

/**
 * The rules that officers find wrong too often: so many closings by officers, and so large a share of dismissals
 * among them, that whoever keeps the rules should look. The worst first.
 *
 * @param from YYYY-MM-DD
 * @param to YYYY-MM-DD
 */
export async function doubtfulRules(
  warehouse: Queryable,
  { dismissed_percent: limit, dismissed_at_least: atLeast }: QueueSettings,
  from: string,
  to: string,
): Promise<DoubtfulRule[]> {
  const { rows } = await sql<DoubtfulRule>`
    SELECT rule, closed, dismissed, round(100.0 * dismissed / closed)::int AS dismissed_percent FROM (
      SELECT a.rule, count(*) AS closed, count(*) FILTER (WHERE e.kind = 'dismissed') AS dismissed
      FROM anomalies.anomaly_event e JOIN anomalies.anomaly a USING (anomaly_id)
      LEFT JOIN anomalies.bulk_action b USING (bulk_id)
      WHERE e.actor IS NOT NULL AND e.kind IN ('resolved', 'dismissed') AND b.undone_at IS NULL
        AND e.on_date BETWEEN ${from}::date AND ${to}::date
      GROUP BY a.rule) counted
    WHERE closed >= ${atLeast} AND 100.0 * dismissed / closed >= ${limit}
    ORDER BY dismissed::float / closed DESC, rule`.execute(warehouse.db);
  return rows;
}
