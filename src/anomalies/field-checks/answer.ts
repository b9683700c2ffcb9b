import { sql, type Transaction } from 'kysely';
import type { DB } from '../../schema/database.ts';
import { PopshareError } from '../../schema/errors.ts';
import { recordAct } from '../../schema/warehouse/audit.ts';
import type { Queryable } from '../../schema/warehouse/connect.ts';
import { type AnsweredFile, numberIn, readAnsweredFile, refuseFaults } from '../answered-file.ts';
import { changeCases } from '../queue/change-cases.ts';
import { ANSWER_CODES, ANSWERS, type FieldAnswer, HEADINGS } from './words.ts';

/** What somebody found who went and looked. */
export interface FieldReport {
  readonly checkId: number;
  readonly answer: FieldAnswer;
  readonly note: string;
  /** Who went there, as the list says. */
  readonly by: string;
}

/**
 * Reads a list of field checks that a village sent back. All or nothing, as with correction lists.
 *
 * @param bringing who brings the file in, and on which day (YYYY-MM-DD)
 * @returns how many checks were answered; those that had an answer before keep it
 * @throws ANSWER_FILE naming the lines; the SOURCE_ codes
 */
export async function takeFieldReports(
  warehouse: Queryable,
  file: AnsweredFile,
  bringing: { readonly by: string; readonly on: string },
): Promise<number> {
  const faults: string[] = [];
  const reports: FieldReport[] = [];
  for (const row of await readAnsweredFile(file, Object.values(HEADINGS))) {
    const word = row.of(HEADINGS.answer);
    if (word === '') continue;
    const answer = answerOf(word);
    const checkId = numberIn(row.of(HEADINGS.check));
    const fault = (what: string): number => faults.push(`第 ${row.line} 行：${what}`);
    if (answer === undefined) fault(`${HEADINGS.answer}应为 ${Object.values(ANSWERS).join('、')}`);
    else if (checkId === null) fault(`${HEADINGS.check}不是数字`);
    else if (row.of(HEADINGS.by) === '') fault(`${HEADINGS.by}未填写`);
    else if (answer === 'other' && row.of(HEADINGS.note) === '') fault(`${HEADINGS.note}未填写`);
    else if (reports.some((report) => report.checkId === checkId)) fault(`核查 ${checkId} 填写了两次`);
    else reports.push({ checkId, answer, note: row.of(HEADINGS.note), by: row.of(HEADINGS.by) });
  }
  return warehouse.db.transaction().execute(async (tx) => {
    const rounds = await roundsOf(tx, reports);
    const unknown = reports.filter(({ checkId }) => !rounds.has(checkId));
    refuseFaults(file, [...faults, ...unknown.map(({ checkId }) => `没有核查 ${checkId}`)]);
    let taken = 0;
    for (const together of Map.groupBy(reports, ({ by, checkId }) => `${rounds.get(checkId)} ${by}`).values())
      taken += await writeReports(tx, together, bringing.on);
    await recordAct(tx, {
      actor: bringing.by,
      action: 'field_check',
      detail: { answered: reports.map(({ checkId }) => checkId) },
    });
    return taken;
  });
}

/**
 * Takes the answer to one field check.
 *
 * @param on YYYY-MM-DD
 * @throws FIELD_CHECK_UNKNOWN; FIELD_CHECK when it has an answer already, or `other` says nothing
 */
export async function takeFieldReport(warehouse: Queryable, report: FieldReport, on: string): Promise<void> {
  if (report.answer === 'other' && report.note.trim() === '')
    throw new PopshareError('FIELD_CHECK', 'the answer `other` needs a note');
  await warehouse.db.transaction().execute(async (tx) => {
    if ((await roundsOf(tx, [report])).size === 0)
      throw new PopshareError('FIELD_CHECK_UNKNOWN', `there is no field check ${report.checkId}`);
    if ((await writeReports(tx, [report], on)) === 0)
      throw new PopshareError('FIELD_CHECK', `field check ${report.checkId} has been answered`);
  });
}

/**
 * Locks the cases of the reports, in the order in which everybody locks them.
 *
 * @returns by check that there is, its round: of several reports about one case each stands in a round of its own,
 *   because a case is told of once in a statement
 */
async function roundsOf(tx: Transaction<DB>, reports: readonly FieldReport[]): Promise<Map<number, number>> {
  const { rows } = await sql<{ check_id: number; anomaly_id: number; round: number }>`
    SELECT check_id, anomaly_id, row_number() OVER (PARTITION BY anomaly_id ORDER BY check_id) AS round
    FROM anomalies.field_check WHERE check_id = ANY (${reports.map(({ checkId }) => checkId)})`.execute(tx);
  await sql`
    SELECT FROM anomalies.anomaly WHERE anomaly_id = ANY (${rows.map(({ anomaly_id }) => anomaly_id)})
    ORDER BY anomaly_id FOR UPDATE`.execute(tx);
  return new Map(rows.map(({ check_id, round }) => [check_id, round]));
}

function answerOf(word: string): FieldAnswer | undefined {
  return ANSWER_CODES.find((answer) => ANSWERS[answer] === word);
}

/**
 * After: each check that was open has its answer, and its case an event that says so.
 *
 * @param reports of one person, about different cases
 * @returns how many were open
 */
async function writeReports(
  tx: Transaction<DB>,
  reports: readonly FieldReport[],
  on: string,
): Promise<number> {
  const { rows: answered } = await sql<{ anomaly_id: number; answer: string; note: string | null }>`
    UPDATE anomalies.field_check f
    SET answer = r.answer, note = nullif(r.note, ''), answered_by = r.by, answered_at = now()
    FROM jsonb_to_recordset(${JSON.stringify(reports)}::jsonb) AS r ("checkId" bigint, answer text, note text, by text)
    WHERE f.check_id = r."checkId" AND f.answer IS NULL
    RETURNING f.anomaly_id, f.answer, f.note`.execute(tx);
  await changeCases(tx, {
    chosen: sql`
      SELECT a.*, r.answer, r.note
      FROM anomalies.anomaly a
      JOIN jsonb_to_recordset(${JSON.stringify(answered)}::jsonb) AS r (anomaly_id bigint, answer text, note text)
        USING (anomaly_id)
      ORDER BY a.anomaly_id FOR UPDATE OF a`,
    set: {},
    event: {
      kind: sql`'field_answer'`,
      actor: reports[0]?.by ?? '',
      on,
      reason: sql`c.answer`,
      comment: sql`c.note`,
    },
  });
  return answered.length;
}
