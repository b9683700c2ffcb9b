import { sql, type Transaction } from 'kysely';
import type { DB } from '../../schema/database.ts';
import type { RunId } from '../../schema/ids.ts';
import { changeCases } from '../queue/change-cases.ts';
import { IS_ASKED } from './withdrawn.ts';

/**
 * Escalates what a department has not mended by its deadline: once for each line, as an event of the case. The case
 * stays with the department; a supervisor finds it by the event, and in the night's report.
 *
 * @param on YYYY-MM-DD: a line is overdue on the day after its deadline
 * @returns how many cases were escalated
 */
export async function escalateOverdue(tx: Transaction<DB>, runId: RunId, on: string): Promise<number> {
  await sql`
    CREATE TEMPORARY TABLE overdue ON COMMIT DROP AS
    SELECT l.correction_id, l.line, l.anomaly_id
    FROM anomalies.correction_line l JOIN anomalies.anomaly a USING (anomaly_id)
    WHERE l.escalated_on IS NULL AND l.due_on < ${on}::date AND ${IS_ASKED}`.execute(tx);
  await sql`
    UPDATE anomalies.correction_line l SET escalated_on = ${on}::date
    FROM overdue o WHERE l.correction_id = o.correction_id AND l.line = o.line`.execute(tx);
  const { changed } = await changeCases(tx, {
    chosen: sql`
      SELECT a.* FROM anomalies.anomaly a JOIN overdue USING (anomaly_id)
      ORDER BY a.anomaly_id FOR UPDATE OF a`,
    set: {},
    event: { kind: sql`'escalated'`, runId, on },
  });
  return changed;
}
