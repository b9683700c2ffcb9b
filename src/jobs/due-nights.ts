import { sql } from 'kysely';
import type { Binding } from '../schema/configuration/binding.ts';
import type { Warehouse } from '../schema/warehouse/connect.ts';
import { SHANGHAI_AHEAD_MILLISECONDS } from './shanghai.ts';

/** What is being written when the cut-off strikes is waited for. */
const GRACE_MINUTES = 1;

/**
 * The latest business date whose last cut-off passed at least a minute ago.
 *
 * @param now any moment, by the clock of the machine
 * @returns YYYY-MM-DD; null when no feed is bound
 */
export function latestDueDate(now: Date, bindings: readonly Pick<Binding, 'cut_off'>[]): string | null {
  const last = ticksOf(bindings).at(-1);
  if (last === undefined) return null;
  const sinceMidnight = (last.hour * 60 + last.minute + last.day * 24 * 60) * 60_000;
  return new Date(now.getTime() + SHANGHAI_AHEAD_MILLISECONDS - sinceMidnight).toISOString().slice(0, 10);
}

/** A time of day at which to look for due nights: a cut-off and a minute. */
export interface Tick {
  readonly hour: number;
  readonly minute: number;
  /** 1 when the minute after the cut-off is on the next day. */
  readonly day: 0 | 1;
}

/** The minutes after the cut-offs, each once, in order. */
export function ticksOf(bindings: readonly Pick<Binding, 'cut_off'>[]): Tick[] {
  return [...new Set(bindings.map(({ cut_off }) => cut_off))].sort().map((cutOff) => {
    const [hour = 0, minute = 0] = cutOff.split(':').map(Number);
    const after = hour * 60 + minute + GRACE_MINUTES;
    return { hour: Math.floor(after / 60) % 24, minute: after % 60, day: after < 24 * 60 ? 0 : 1 };
  });
}

/**
 * The business dates that have no finished night and should have one, oldest first: those after the last finished
 * date, and earlier ones that have failed. In a warehouse without any finished night, only the latest date: what was
 * before popshare came is brought by `backfill`.
 *
 * A date that has failed `failedAttempts` times is left out, until an officer decides upon one of its deliveries.
 *
 * @param latest the latest date that is due, YYYY-MM-DD
 */
export async function dueNights(
  warehouse: Warehouse,
  latest: string,
  failedAttempts: number,
): Promise<string[]> {
  const { rows } = await sql<{ date: string }>`
    WITH night AS (
      SELECT run_id, business_date AS date, status FROM ops.run
      WHERE purpose IN ('nightly', 'backfill') AND business_date <= ${latest}::date),
    done AS (SELECT date FROM night WHERE status = 'done'),
    lacking AS (
      SELECT day::date AS date
      FROM generate_series((SELECT coalesce(max(date) + 1, ${latest}::date) FROM done), ${latest}::date, '1 day') AS day
      UNION SELECT date FROM night WHERE status = 'failed'
      EXCEPT SELECT date FROM done)
    SELECT date FROM lacking
    WHERE ${failedAttempts} > (
      SELECT count(*) FROM night
      WHERE night.date = lacking.date AND night.status = 'failed' AND night.run_id > coalesce((
        SELECT max(run_id) FROM ops.run
        WHERE business_date = lacking.date AND purpose IN ('release', 'refuse', 'replay')), 0))
    ORDER BY date`.execute(warehouse.db);
  return rows.map(({ date }) => date);
}
