import { sql } from 'kysely';
import { PopshareError } from '../../schema/errors.ts';
import { recordAct } from '../../schema/warehouse/audit.ts';
import type { Queryable } from '../../schema/warehouse/connect.ts';
import { changeCases } from '../queue/change-cases.ts';
import { requireVillage } from '../queue/divisions.ts';
import type { DueDates } from '../queue/due-dates.ts';

/** What a village is asked. */
export interface FieldQuestion {
  readonly caseId: number;
  /** 12 digits; null for the village that the case names. */
  readonly village: string | null;
  readonly question: string;
  readonly by: string;
  /** YYYY-MM-DD */
  readonly on: string;
}

/** It has to fit into a cell of the list that is printed. */
export const LONGEST_QUESTION = 500;

/**
 * Asks a village to go and look 现场核查. The case stays where it is; the answer comes to it as an event. A question
 * that the village has not answered yet is not asked twice.
 *
 * @returns the number of the check
 * @throws CASE_UNKNOWN; FIELD_CHECK when the case is closed or names no village, there is no such village, or the
 *   question is empty or open
 */
export async function askVillage(
  warehouse: Queryable,
  dueDates: DueDates,
  { caseId, village, question, by, on }: FieldQuestion,
): Promise<number> {
  if (question.trim() === '') throw new PopshareError('FIELD_CHECK', 'a question is needed');
  if (question.length > LONGEST_QUESTION)
    throw new PopshareError('FIELD_CHECK', `a question has at most ${LONGEST_QUESTION} characters`);
  return warehouse.db.transaction().execute(async (tx) => {
    const { rows } = await sql<{
      status: string;
      division: string | null;
      severity: 'high' | 'medium' | 'low';
    }>`
      SELECT status, division, severity FROM anomalies.anomaly WHERE anomaly_id = ${caseId} FOR UPDATE`.execute(
      tx,
    );
    const [found] = rows;
    if (found === undefined) throw new PopshareError('CASE_UNKNOWN', `there is no case ${caseId}`);
    if (found.status === 'resolved' || found.status === 'dismissed')
      throw new PopshareError('FIELD_CHECK', `case ${caseId} is ${found.status}`);
    const where = village ?? found.division;
    if (where === null)
      throw new PopshareError('FIELD_CHECK', `case ${caseId} names no village; say which one (12 digits)`);
    await requireVillage({ db: tx }, where);
    const asked = await sql<{ check_id: number }>`
      INSERT INTO anomalies.field_check (anomaly_id, village, question, asked_by, asked_on, due_on)
      VALUES (${caseId}, ${where}, ${question}, ${by}, ${on}, ${dueDates.dueOn(found.severity, on) ?? on})
      ON CONFLICT (village, anomaly_id) WHERE answer IS NULL DO NOTHING
      RETURNING check_id`.execute(tx);
    const checkId = asked.rows[0]?.check_id;
    if (checkId === undefined)
      throw new PopshareError(
        'FIELD_CHECK',
        `village ${where} has been asked about case ${caseId}, and has not answered`,
      );
    await changeCases(tx, {
      chosen: sql`SELECT a.* FROM anomalies.anomaly a WHERE a.anomaly_id = ${caseId} FOR UPDATE OF a`,
      set: {},
      event: { kind: sql`'field_check'`, actor: by, on, comment: question },
    });
    await recordAct(tx, {
      actor: by,
      action: 'field_check',
      subject: `case ${caseId}`,
      detail: { checkId, village: where },
    });
    return checkId;
  });
}
