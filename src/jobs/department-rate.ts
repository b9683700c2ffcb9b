import { sql } from 'kysely';
import type { Configuration } from '../schema/configuration/load.ts';
import type { Queryable } from '../schema/warehouse/connect.ts';

/**
 * How long a department's source is to be left alone before another of its feeds is collected, by
 * `departments.<code>.per_minute`. The ledger is asked, so the limit holds over all workers, and over nights that
 * follow each other in a backfill.
 *
 * @returns milliseconds; 0 when the feed may be collected now
 */
export async function waitForDepartment(
  { db }: Queryable,
  { bindings, settings }: Configuration,
  feed: string,
): Promise<number> {
  const department = bindings.find((binding) => binding.feed === feed)?.contract.department;
  const perMinute = department === undefined ? undefined : settings.departments[department]?.per_minute;
  if (perMinute === undefined) return 0;
  const feeds = bindings
    .filter(({ contract }) => contract.department === department)
    .map((binding) => binding.feed);
  // The oldest of the last `perMinute` beginnings must be a minute old.
  const { rows } = await sql<{ wait: number }>`
    SELECT ceil(1000 * extract(epoch FROM started_at + interval '1 minute' - clock_timestamp()))::integer AS wait
    FROM ops.step WHERE name = 'ingest' AND subject = ANY (${feeds}) AND started_at > clock_timestamp() - interval '1 minute'
    ORDER BY started_at DESC OFFSET ${perMinute - 1} LIMIT 1`.execute(db);
  return Math.max(0, rows[0]?.wait ?? 0);
}

/** A job whose time has not come: it goes back to the queue, and is no failed attempt. */
export class NotYetError extends Error {
  readonly milliseconds: number;

  constructor(milliseconds: number) {
    super(`not before ${milliseconds} ms`);
    this.name = 'NotYetError';
    this.milliseconds = milliseconds;
  }
}
