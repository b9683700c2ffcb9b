import { sql, type Transaction } from 'kysely';
import type { DB } from '../../schema/database.ts';
import { recordAct } from '../../schema/warehouse/audit.ts';
import type { Queryable } from '../../schema/warehouse/connect.ts';
import { numberIn, readAnsweredFile, refuseFaults } from '../answered-file.ts';
import { changeCases } from '../queue/change-cases.ts';
import { ANSWERS, type FieldAnswer, HEADINGS } from './words.ts';

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
  file: string,
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
    const { rows } = await sql<{ check_id: number }>`
      SELECT check_id FROM anomalies.field_check
      WHERE check_id = ANY (${reports.map(({ checkId }) => checkId)})`.execute(tx);
    const known = new Set(rows.map(({ check_id }) => check_id));
    const unknown = reports.filter(({ checkId }) => !known.has(checkId));
    refuseFaults(file, [...faults, ...unknown.map(({ checkId }) => `there is no field check ${checkId}`)]);
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

function answerOf(word: string): FieldAnswer | undefined {
  const known: readonly FieldAnswer[] = [
    'lives_here',
    'lives_elsewhere',
    'moved_away',
    'nobody_knows',
    'died',
    'other',
  ];
  return known.find((answer) => ANSWERS[answer] === word);
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
