import { sql } from 'kysely';
import type { Queryable } from '../../schema/warehouse/connect.ts';
import { IS_ASKED, IS_WITHDRAWN, WAITS_FOR_LIST } from './withdrawn.ts';

/** A correction list, and how far it has come. */
export interface CorrectionState {
  readonly number: string;
  readonly department: string;
  /** YYYY-MM-DD */
  readonly issued_on: string;
  /** YYYY-MM-DD: the last of its lines' deadlines. */
  readonly due_on: string;
  readonly lines: number;
  readonly answered: number;
  /** Lines whose case is closed. */
  readonly closed: number;
  readonly escalated: number;
  /** Lines whose case was taken back before the department settled it. */
  readonly withdrawn: number;
}

/**
 * The lists, newest first. Of each, the lines whose cases one may see.
 *
 * @param page `department`: only its lists; `after`: the number of the last list of the page before
 */
export async function listCorrections(
  { db }: Queryable,
  {
    department,
    after,
    limit,
  }: { readonly department: string | null; readonly after: string | null; readonly limit: number },
): Promise<CorrectionState[]> {
  const { rows } = await sql<CorrectionState>`
    SELECT c.number, c.department, c.issued_on, c.due_on, l.*
    FROM anomalies.correction c CROSS JOIN LATERAL (
      SELECT count(*) AS lines, count(l.reply) AS answered,
             count(*) FILTER (WHERE a.status IN ('resolved', 'dismissed')) AS closed, count(l.escalated_on) AS escalated,
             count(*) FILTER (WHERE ${IS_WITHDRAWN}) AS withdrawn
      FROM anomalies.correction_line l LEFT JOIN anomalies.anomaly a USING (anomaly_id)
      WHERE l.correction_id = c.correction_id) l
    WHERE (${department}::text IS NULL OR c.department = ${department}) AND l.lines > 0
      AND (${after}::text IS NULL OR c.correction_id < (SELECT correction_id FROM anomalies.correction WHERE number = ${after}))
    ORDER BY c.correction_id DESC LIMIT ${limit}`.execute(db);
  return rows;
}

/** How a department comes along with what it was asked to mend. */
export interface DepartmentProgress {
  readonly department: string;
  readonly lists: number;
  readonly lines: number;
  readonly answered: number;
  readonly closed: number;
  readonly escalated: number;
  /** Taken back before the department settled them. */
  readonly withdrawn: number;
  /** Past their deadline, and still with the department. */
  readonly overdue: number;
  /** Returned to it, and on no list yet. */
  readonly waiting: number;
}

/**
 * How far the departments are.
 *
 * @param today YYYY-MM-DD
 */
export async function correctionProgress({ db }: Queryable, today: string): Promise<DepartmentProgress[]> {
  const { rows } = await sql<DepartmentProgress>`
    WITH listed AS (
      SELECT c.department, count(DISTINCT c.correction_id) AS lists, count(*) AS lines, count(l.reply) AS answered,
             count(*) FILTER (WHERE a.status IN ('resolved', 'dismissed')) AS closed,
             count(l.escalated_on) AS escalated, count(*) FILTER (WHERE ${IS_WITHDRAWN}) AS withdrawn,
             count(*) FILTER (WHERE ${IS_ASKED} AND l.due_on < ${today}::date) AS overdue
      FROM anomalies.correction c JOIN anomalies.correction_line l USING (correction_id)
      LEFT JOIN anomalies.anomaly a USING (anomaly_id) GROUP BY c.department),
    waiting AS (
      SELECT a.returned_to AS department, count(*) AS waiting FROM anomalies.anomaly a
      WHERE ${WAITS_FOR_LIST} GROUP BY a.returned_to)
    SELECT department, coalesce(lists, 0) AS lists, coalesce(lines, 0) AS lines, coalesce(answered, 0) AS answered,
           coalesce(closed, 0) AS closed, coalesce(escalated, 0) AS escalated, coalesce(withdrawn, 0) AS withdrawn,
           coalesce(overdue, 0) AS overdue, coalesce(waiting, 0) AS waiting
    FROM listed FULL JOIN waiting USING (department) ORDER BY department`.execute(db);
  return rows;
}
