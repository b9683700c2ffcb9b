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
    const fault = (what: string): number => faults.push(`line ${row.line}: ${what}`);
    if (answer === undefined) fault(`${HEADINGS.answer} is none of ${Object.values(ANSWERS).join(', ')}`);
    else if (checkId === null) fault(`${HEADINGS.check} is no number`);
    else if (row.of(HEADINGS.by) === '') fault(`${HEADINGS.by} is empty`);
    else if (answer === 'other' && row.of(HEADINGS.note) === '') fault(`${HEADINGS.note} is empty`);
    else if (reports.some((report) => report.checkId === checkId))
      fault(`check ${checkId} is answered twice`);
    else reports.push({ checkId, answer, note: row.of(HEADINGS.note), by: row.of(HEADINGS.by) });
  }
  return warehouse.db.transaction().execute(async (tx) => {
    const unknown = (await unknownChecks(tx, reports)).map((checkId) => `there is no field check ${checkId}`);
    refuseFaults(file, [...faults, ...unknown]);
    let taken = 0;
    for (const [by, ofOne] of Map.groupBy(reports, (report) => report.by))
      taken += await writeReports(tx, by, ofOne, bringing.on);
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
    const unknown = await unknownChecks(tx, [report]);
    if (unknown.length > 0)
      throw new PopshareError('FIELD_CHECK_UNKNOWN', `there is no field check ${report.checkId}`);
    if ((await writeReports(tx, report.by, [report], on)) === 0)
      throw new PopshareError('FIELD_CHECK', `field check ${report.checkId} has been answered`);
  });
}

async function unknownChecks(tx: Transaction<DB>, reports: readonly FieldReport[]): Promise<number[]> {
  const asked = reports.map(({ checkId }) => checkId);
  const { rows } = await sql<{ check_id: number }>`
    SELECT check_id FROM anomalies.field_check WHERE check_id = ANY (${asked})`.execute(tx);
  const known = new Set(rows.map(({ check_id }) => check_id));
  return asked.filter((checkId) => !known.has(checkId));
}

function answerOf(word: string): FieldAnswer | undefined {
  return ANSWER_CODES.find((answer) => ANSWERS[answer] === word);
}

/** After: each open check has its answer, and its case an event that says so. */
async function writeReports(
  tx: Transaction<DB>,
  by: string,
  reports: readonly FieldReport[],
  on: string,
): Promise<number> {
  await sql`DROP TABLE IF EXISTS reported`.execute(tx);
  await sql`
    CREATE TEMPORARY TABLE reported (anomaly_id bigint, answer text) ON COMMIT DROP`.execute(tx);
  const { numAffectedRows } = await sql`
    WITH answered AS (
      UPDATE anomalies.field_check f
      SET answer = r.answer, note = nullif(r.note, ''), answered_by = ${by}, answered_at = now()
      FROM jsonb_to_recordset(${JSON.stringify(reports)}::jsonb) AS r ("checkId" bigint, answer text, note text)
      WHERE f.check_id = r."checkId" AND f.answer IS NULL
      RETURNING f.anomaly_id, f.answer)
    INSERT INTO reported SELECT anomaly_id, max(answer) FROM answered GROUP BY anomaly_id`.execute(tx);
  await changeCases(tx, {
    chosen: sql`
      SELECT a.*, r.answer FROM anomalies.anomaly a JOIN reported r USING (anomaly_id)
      ORDER BY a.anomaly_id FOR UPDATE OF a`,
    set: {},
    event: { kind: sql`'field_answer'`, actor: by, on, reason: sql`c.answer` },
  });
  return Number(numAffectedRows ?? 0);
}
