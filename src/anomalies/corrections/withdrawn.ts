import { sql } from 'kysely';
import type { Queryable } from '../../schema/warehouse/connect.ts';

/** The event by which the case, `a`, was returned last. */
export const LAST_RETURN = sql`(
  SELECT max(e.event_id) FROM anomalies.anomaly_event e WHERE e.anomaly_id = a.anomaly_id AND e.kind = 'returned')`;

/** Whether the department is still asked: the case is with it since the return that the line, `l`, answers for. */
export const IS_ASKED = sql`(a.status = 'returned' AND l.event_id = ${LAST_RETURN})`;

/** Whether the case is with a department, and on none of its lists. */
export const WAITS_FOR_LIST = sql`(
  a.status = 'returned' AND NOT EXISTS (
    SELECT FROM anomalies.correction_line l WHERE l.anomaly_id = a.anomaly_id AND ${IS_ASKED}))`;

/**
 * Whether the case of a line was taken back before the department settled it: a bulk action was undone, or an officer
 * took the case. Of a case that one may not see any more (a left join has none), a department need not know more.
 */
export const IS_WITHDRAWN = sql`(
  coalesce(l.reply, 'corrected') = 'corrected' AND coalesce(a.status, 'new') NOT IN ('resolved', 'dismissed')
  AND ${IS_ASKED} IS NOT TRUE)`;

/**
 * What the department of a list need not answer any more, of earlier lists whose deadlines are still to come: for the
 * sheet that says how to fill the list in. Null when there is nothing.
 */
export async function withdrawnBefore({ db }: Queryable, number: string): Promise<string | null> {
  const { rows } = await sql<{ number: string; lines: number[] }>`
    SELECT earlier.number, array_agg(l.line ORDER BY l.line) AS lines
    FROM anomalies.correction c
    JOIN anomalies.correction earlier ON earlier.department = c.department AND earlier.correction_id < c.correction_id
    JOIN anomalies.correction_line l ON l.correction_id = earlier.correction_id AND l.due_on >= c.issued_on
    LEFT JOIN anomalies.anomaly a USING (anomaly_id)
    WHERE c.number = ${number} AND ${IS_WITHDRAWN}
    GROUP BY earlier.correction_id, earlier.number ORDER BY earlier.correction_id`.execute(db);
  if (rows.length === 0) return null;
  const lists = rows.map(({ number: earlier, lines }) => `${earlier} 第 ${rangesOf(lines)} 行`);
  return `以前的校核单中已撤回、不必再办理的行：${lists.join('；')}。`;
}

/** `1–3、7`: sorted numbers, those that follow each other as a range. */
function rangesOf(lines: readonly number[]): string {
  const ranges: { first: number; last: number }[] = [];
  for (const line of lines) {
    const range = ranges.at(-1);
    if (range?.last === line - 1) range.last = line;
    else ranges.push({ first: line, last: line });
  }
  return ranges.map(({ first, last }) => (first === last ? `${first}` : `${first}–${last}`)).join('、');
}
