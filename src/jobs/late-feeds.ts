import { type Kysely, sql } from 'kysely';
import type { Configuration } from '../schema/configuration/load.ts';
import type { DB } from '../schema/database.ts';
import { inShanghai } from './shanghai.ts';

/** A feed whose delivery had not arrived when the first night of its date came to its end. */
export interface LateFeed {
  readonly feed: string;
  readonly department: string;
  /** In Chinese: the feed, and the department. */
  readonly title: string;
  readonly sender: string;
  /** YYYY-MM-DD */
  readonly business_date: string;
  /** HH:mm */
  readonly cut_off: string;
  /** Null: it is not here yet. */
  readonly arrived_at: Date | null;
}

/**
 * The feeds of the site that are late, in the order of their names.
 *
 * @param date YYYY-MM-DD: on this business date; null for each feed's latest, which is what still matters of it
 */
export async function lateFeeds(
  db: Kysely<DB>,
  { bindings, settings }: Configuration,
  date: string | null,
): Promise<LateFeed[]> {
  const bound = new Map(bindings.map((binding) => [binding.feed, binding]));
  const { rows } = await sql<Pick<LateFeed, 'feed' | 'department' | 'business_date' | 'arrived_at'>>`
    SELECT feed, department, business_date, arrived_at FROM (
      SELECT DISTINCT ON (feed) * FROM ops.timeliness
      WHERE ${date}::date IS NULL OR business_date = ${date}::date
      ORDER BY feed, business_date DESC) latest
    WHERE NOT on_time ORDER BY feed`.execute(db);
  return rows.flatMap((row) => {
    const binding = bound.get(row.feed);
    if (binding === undefined) return [];
    const sender = settings.departments[row.department]?.zh ?? row.department;
    return [{ ...row, title: binding.contract.title.zh, sender, cut_off: binding.cut_off }];
  });
}

/** `不动产权登记（房产）：业务日期 2026-11-20，截止 22:00，仍未到`. */
export function lateFeedText({ title, sender, business_date, cut_off, arrived_at }: LateFeed): string {
  return `${title}（${sender}）：业务日期 ${business_date}，截止 ${cut_off}，${arrivalOf(arrived_at)}`;
}

function arrivalOf(arrivedAt: Date | null): string {
  if (arrivedAt === null) return '仍未到';
  const { day, time } = inShanghai(arrivedAt);
  return `${day} ${time} 到达`;
}
