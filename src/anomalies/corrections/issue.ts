import { sql, type Transaction } from 'kysely';
import type { DB } from '../../schema/database.ts';
import { recordAct } from '../../schema/warehouse/audit.ts';
import type { Queryable } from '../../schema/warehouse/connect.ts';
import { LAST_RETURN, WAITS_FOR_LIST } from './withdrawn.ts';

/** A correction list 校核单 as it was issued: the returned cases of one department. */
export interface IssuedList {
  /** XH-<year>-<department>-<number within the year>, such as XH-2026-housing-0003. */
  readonly number: string;
  readonly department: string;
  readonly lines: number;
  /** YYYY-MM-DD: the last of its lines' deadlines. */
  readonly due_on: string;
}

/** Who issues lists, when, and for whom. */
export interface Issuing {
  readonly by: string;
  /** YYYY-MM-DD */
  readonly on: string;
  /** Null for every department that has something to mend. */
  readonly department: string | null;
}

/**
 * Puts every returned case that stands on no list yet on its department's next list, in the order of its
 * records, in one transaction.
 *
 * @returns one entry for each list; none when no case waits
 */
export async function issueCorrections(warehouse: Queryable, issuing: Issuing): Promise<IssuedList[]> {
  return warehouse.db.transaction().execute(async (tx) => {
    // One at a time: numbers follow each other, and a case stands on one list.
    await sql`SELECT pg_advisory_xact_lock(hashtext('popshare.correction'))`.execute(tx);
    const lists = await writeLists(tx, issuing);
    for (const { number, lines } of lists)
      await recordAct(tx, { actor: issuing.by, action: 'correction', subject: number, detail: { lines } });
    return lists;
  });
}

async function writeLists(tx: Transaction<DB>, { by, on, department }: Issuing): Promise<IssuedList[]> {
  await sql`
    CREATE TEMPORARY TABLE waiting ON COMMIT DROP AS
    SELECT a.anomaly_id, a.returned_to AS department, a.due_on, ${LAST_RETURN} AS event_id,
           row_number() OVER (PARTITION BY a.returned_to ORDER BY a.feed, a.source_key, a.rule, a.anomaly_id) AS line
    FROM anomalies.anomaly a
    WHERE ${WAITS_FOR_LIST} AND (${department}::text IS NULL OR a.returned_to = ${department})`.execute(tx);
  const { rows } = await sql<IssuedList>`
    WITH issued AS (
      INSERT INTO anomalies.correction (number, department, issued_on, issued_by, due_on)
      SELECT format('XH-%s-%s-%s', left(${on}, 4), w.department, lpad((1 + (
               SELECT count(*) FROM anomalies.correction c
               WHERE c.department = w.department AND extract(year FROM c.issued_on) = extract(year FROM ${on}::date)))::text, 4, '0')),
             w.department, ${on}::date, ${by}, max(w.due_on)
      FROM waiting w GROUP BY w.department
      RETURNING correction_id, number, department, due_on),
    lines AS (
      INSERT INTO anomalies.correction_line (correction_id, line, anomaly_id, event_id, due_on)
      SELECT i.correction_id, w.line, w.anomaly_id, w.event_id, w.due_on FROM waiting w JOIN issued i USING (department))
    SELECT i.number, i.department, count(*) AS lines, i.due_on
    FROM issued i JOIN waiting w USING (department)
    GROUP BY i.number, i.department, i.due_on ORDER BY i.number`.execute(tx);
  return rows;
}
