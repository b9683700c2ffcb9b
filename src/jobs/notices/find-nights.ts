import { sql, type Transaction } from 'kysely';
import type { Configuration } from '../../schema/configuration/load.ts';
import type { DB } from '../../schema/database.ts';
import { dayBefore, inShanghai } from '../shanghai.ts';
import { raiseNotice } from './outbox.ts';

/** Runs that ended longer ago are no news; a notice of them may have been purged. */
const NEWS_DAYS = 3;

interface FailedNight {
  readonly run_id: number;
  readonly date: string;
  readonly attempt: number;
  readonly steps: readonly string[];
  readonly deliveries: readonly { readonly delivery: number; readonly feed: string }[];
}

interface NightWithDeliveries {
  readonly run_id: number;
  readonly date: string;
  readonly deliveries: readonly {
    readonly delivery: number;
    readonly feed: string;
    readonly department: string;
    readonly rules: readonly string[];
  }[];
}

/**
 * Looks in the ledger for nights that failed, are late, lacked feeds or hold deliveries, and puts what was not yet
 * told into the outbox. Safe to repeat, also by several schedulers at once.
 */
export async function findNights(
  tx: Transaction<DB>,
  configuration: Configuration,
  now: Date,
): Promise<void> {
  await findFailed(tx, configuration, now);
  await findHeld(tx, configuration, now);
  await findMissing(tx, configuration, now);
  await findLate(tx, configuration, now);
}

/** Runs of nights that have ended of late and have no notice of this kind. */
const untold = (what: string, now: Date) => sql`
  r.status <> 'running' AND r.finished_at > ${now}::timestamptz - make_interval(days => ${NEWS_DAYS})
  AND NOT EXISTS (SELECT FROM ops.notice n WHERE n.subject = ${`${what}, run `}::text || r.run_id)`;

async function findFailed(tx: Transaction<DB>, { settings }: Configuration, now: Date): Promise<void> {
  const { rows } = await sql<FailedNight>`
    SELECT r.run_id, r.business_date AS date,
           (SELECT count(*) FROM ops.run o WHERE o.business_date = r.business_date AND o.status = 'failed'
              AND o.purpose IN ('nightly', 'backfill') AND o.run_id <= r.run_id) AS attempt,
           coalesce((SELECT jsonb_agg(trim(s.name || ' ' || s.subject) ORDER BY s.step_id) FROM ops.step s
                     WHERE s.run_id = r.run_id AND s.status <> 'done'), '[]') AS steps,
           coalesce((SELECT jsonb_agg(jsonb_build_object('delivery', d.delivery_id, 'feed', d.feed) ORDER BY d.delivery_id)
                     FROM ops.delivery d WHERE d.business_date = r.business_date AND d.status = 'failed'), '[]') AS deliveries
    FROM ops.run r
    WHERE r.status = 'failed' AND r.purpose IN ('nightly', 'backfill') AND ${untold('night failed', now)}
    ORDER BY r.run_id`.execute(tx);
  for (const { run_id, date, attempt, steps, deliveries } of rows) {
    const payload = {
      run: run_id,
      date,
      attempt,
      attempts: settings.schedule.failed_attempts,
      steps,
      deliveries,
    };
    const body = [
      `业务日期 ${date} 的运行 ${run_id} 失败（第 ${attempt} 次）。`,
      ...(steps.length > 0 ? [`未完成的步骤：${steps.join('、')}`] : []),
      ...(deliveries.length > 0
        ? [`处理失败的批次：${deliveries.map(({ delivery, feed }) => `${feed} (${delivery})`).join('、')}`]
        : []),
      `调度程序最多试 ${settings.schedule.failed_attempts} 次。查看：npx popshare status；重跑：npx popshare nightly --date ${date}`,
    ].join('\n');
    const title = `夜间运行失败：${date}`;
    await raiseNotice(
      tx,
      { kind: 'night_failed', subject: `night failed, run ${run_id}`, title, body, payload },
      now,
    );
  }
}

/** Deliveries that this run left held: a later reading has another run. */
async function findHeld(tx: Transaction<DB>, configuration: Configuration, now: Date): Promise<void> {
  const { rows } = await sql<NightWithDeliveries>`
    SELECT r.run_id, r.business_date AS date, jsonb_agg(jsonb_build_object(
             'delivery', d.delivery_id, 'feed', d.feed, 'department', d.department,
             'rules', (SELECT jsonb_agg(f.rule ORDER BY f.rule) FROM ops.gate_finding f
                       WHERE f.delivery_id = d.delivery_id AND f.holds)) ORDER BY d.delivery_id) AS deliveries
    FROM ops.run r JOIN ops.delivery d USING (run_id)
    WHERE d.status = 'held' AND ${untold('held', now)}
    GROUP BY r.run_id ORDER BY r.run_id`.execute(tx);
  for (const { run_id, date, deliveries } of rows) {
    const lines = deliveries.map(
      ({ delivery, feed, department, rules }) =>
        `批次 ${delivery}：${nameOf(configuration, feed)}（${departmentName(configuration, department)}），${rules.join('、')}`,
    );
    const body = [...lines, '待处理：npx popshare deliveries list --status held'].join('\n');
    const title = `${deliveries.length} 个批次待人工处理：${date}`;
    const payload = { run: run_id, date, deliveries };
    await raiseNotice(
      tx,
      { kind: 'deliveries_held', subject: `held, run ${run_id}`, title, body, payload },
      now,
    );
  }
}

/** The cut-off has passed with nothing ready: each feed and date is `missing` in the first run that looked for it. */
async function findMissing(tx: Transaction<DB>, configuration: Configuration, now: Date): Promise<void> {
  const { rows } = await sql<NightWithDeliveries>`
    SELECT r.run_id, r.business_date AS date,
           jsonb_agg(jsonb_build_object('delivery', d.delivery_id, 'feed', d.feed, 'department', d.department,
                                        'rules', '["FD01"]'::jsonb) ORDER BY d.delivery_id) AS deliveries
    FROM ops.run r JOIN ops.delivery d USING (run_id)
    WHERE d.status = 'missing' AND r.purpose IN ('nightly', 'backfill') AND ${untold('missing', now)}
    GROUP BY r.run_id ORDER BY r.run_id`.execute(tx);
  for (const { run_id, date, deliveries } of rows) {
    const feeds = deliveries.map(({ feed, department }) => ({
      feed,
      department,
      cut_off: cutOffOf(configuration, feed),
    }));
    const lines = feeds.map(
      ({ feed, department, cut_off }) =>
        `${nameOf(configuration, feed)}（${departmentName(configuration, department)}${cut_off === null ? '' : `，截止 ${cut_off}`}）`,
    );
    const body = [...lines, `文件到达后重跑即可：npx popshare nightly --date ${date}`].join('\n');
    const title = `${feeds.length} 个报送项未按时报送：${date}`;
    const payload = { run: run_id, date, feeds };
    await raiseNotice(
      tx,
      { kind: 'feeds_late', subject: `missing, run ${run_id}`, title, body, payload },
      now,
    );
  }
}

/**
 * A date that has no finished run by `late_by` of the day after it. A warehouse whose first night is still to come
 * is not late.
 */
async function findLate(tx: Transaction<DB>, { settings }: Configuration, now: Date): Promise<void> {
  const { late_by } = settings.notices;
  const { day, time } = inShanghai(now);
  const date = time >= late_by ? dayBefore(day) : dayBefore(dayBefore(day));
  const { rows } = await sql<{ late: boolean }>`
    SELECT bool_or(business_date < ${date}::date) AND NOT bool_or(business_date = ${date}::date) AS late
    FROM ops.run WHERE status = 'done' AND purpose IN ('nightly', 'backfill')`.execute(tx);
  if (rows[0]?.late !== true) return;
  const body = `业务日期 ${date} 到次日 ${late_by} 仍没有完成的运行。查看：npx popshare status`;
  const title = `夜间运行未按时完成：${date}`;
  await raiseNotice(
    tx,
    { kind: 'night_late', subject: `night late, ${date}`, title, body, payload: { date, late_by } },
    now,
  );
}

const bindingOf = ({ bindings }: Configuration, feed: string) =>
  bindings.find((binding) => binding.feed === feed);

function nameOf(configuration: Configuration, feed: string): string {
  return bindingOf(configuration, feed)?.contract.title.zh ?? feed;
}

function cutOffOf(configuration: Configuration, feed: string): string | null {
  return bindingOf(configuration, feed)?.cut_off ?? null;
}

function departmentName({ settings }: Configuration, department: string): string {
  return settings.departments[department]?.zh ?? department;
}
