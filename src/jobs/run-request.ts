import { sql } from 'kysely';
import type { RunId } from '../schema/ids.ts';
import type { Queryable } from '../schema/warehouse/connect.ts';

/** The channel on which schedulers hear that somebody asks for a run. */
export const RUN_REQUESTED = 'popshare_run_requested';

/** Somebody asks for a run of a business date, also of one that is done. */
interface RunRequest {
  /** YYYY-MM-DD */
  readonly businessDate: string;
  readonly by: string;
  readonly reason: string;
}

/** Asks for a run. It begins when a scheduler is free, which hears of it at the commit, or finds it at its next tick. */
export async function requestRun({ db }: Queryable, { businessDate, by, reason }: RunRequest): Promise<void> {
  await sql`
    WITH asked AS (
      INSERT INTO ops.run_request (business_date, requested_by, reason) VALUES (${businessDate}, ${by}, ${reason})
      RETURNING request_id)
    SELECT pg_notify(${RUN_REQUESTED}, '') FROM asked`.execute(db);
}

/** The dates of which a run was asked for that has not begun, or was broken off; oldest request first. */
export async function requestedDates({ db }: Queryable): Promise<string[]> {
  const { rows } = await sql<{ date: string }>`
    SELECT q.business_date AS date
    FROM ops.run_request q LEFT JOIN ops.run r USING (run_id)
    WHERE q.run_id IS NULL OR r.status = 'interrupted'
    GROUP BY q.business_date ORDER BY min(q.request_id)`.execute(db);
  return rows.map(({ date }) => date);
}

/** The run answers all requests for its date that wait. */
export async function answerRequests({ db }: Queryable, runId: RunId, businessDate: string): Promise<void> {
  await sql`
    UPDATE ops.run_request q SET run_id = ${runId}
    WHERE q.business_date = ${businessDate}
      AND (q.run_id IS NULL OR EXISTS (SELECT FROM ops.run r WHERE r.run_id = q.run_id AND r.status = 'interrupted'))`.execute(
    db,
  );
}
