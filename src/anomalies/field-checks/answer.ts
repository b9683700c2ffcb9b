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
    const known = await knownChecks(tx, reports);
    const unknown = reports.filter((report) => !known.includes(report));
    refuseFaults(file, [...faults, ...unknown.map(({ checkId }) => `没有核查 ${checkId}`)]);
    let taken = 0;
    for (const report of known) if (await writeReport(tx, report, bringing.on)) taken++;
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
    const [known] = await knownChecks(tx, [report]);
    if (known === undefined)
      throw new PopshareError('FIELD_CHECK_UNKNOWN', `there is no field check ${report.checkId}`);
    if (!(await writeReport(tx, known, on)))
      throw new PopshareError('FIELD_CHECK', `field check ${report.checkId} has been answered`);
  });
}

/** Those whose checks there are, in the order of their cases: the order in which everybody locks these. */
async function knownChecks(tx: Transaction<DB>, reports: readonly FieldReport[]): Promise<FieldReport[]> {
  const { rows } = await sql<{ check_id: number }>`
    SELECT check_id FROM anomalies.field_check WHERE check_id = ANY (${reports.map(({ checkId }) => checkId)})
    ORDER BY anomaly_id, check_id`.execute(tx);
  return rows.flatMap(({ check_id }) => reports.filter(({ checkId }) => checkId === check_id));
}

function answerOf(word: string): FieldAnswer | undefined {
  return ANSWER_CODES.find((answer) => ANSWERS[answer] === word);
}

/**
 * After: an open check has its answer, and its case an event that says so.
 *
 * @returns whether it was open
 */
async function writeReport(
  tx: Transaction<DB>,
  { checkId, answer, note, by }: FieldReport,
  on: string,
): Promise<boolean> {
  const { rows } = await sql<{ anomaly_id: number }>`
    UPDATE anomalies.field_check
    SET answer = ${answer}, note = nullif(${note}, ''), answered_by = ${by}, answered_at = now()
    WHERE check_id = ${checkId} AND answer IS NULL RETURNING anomaly_id`.execute(tx);
  const [answered] = rows;
  if (answered === undefined) return false;
  await changeCases(tx, {
    chosen: sql`
      SELECT a.* FROM anomalies.anomaly a WHERE a.anomaly_id = ${answered.anomaly_id} FOR UPDATE OF a`,
    set: {},
    event: { kind: sql`'field_answer'`, actor: by, on, reason: sql`${answer}::text`, comment: note || null },
  });
  return true;
}
