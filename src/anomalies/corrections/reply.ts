import { type RawBuilder, sql, type Transaction } from 'kysely';
import type { DB } from '../../schema/database.ts';
import { recordAct } from '../../schema/warehouse/audit.ts';
import type { Queryable } from '../../schema/warehouse/connect.ts';
import { type AnsweredFile, numberIn, readAnsweredFile, refuseFaults, shown } from '../answered-file.ts';
import { changeCases } from '../queue/change-cases.ts';
import { enterMoves } from '../queue/tallies.ts';
import { IS_ASKED, IS_WITHDRAWN } from './withdrawn.ts';
import { HEADINGS, REPLIES } from './words.ts';

type Reply = keyof typeof REPLIES;

interface Answer {
  readonly number: string;
  readonly line: number;
  readonly reply: Reply;
  readonly note: string;
}

/** Who brings a file in. */
interface Replying {
  readonly by: string;
  /** YYYY-MM-DD */
  readonly on: string;
  /** What they may see: a line that is not there is as unknown as one that never was. */
  readonly within: Queryable;
}

/** What became of the lines of a file that came back. */
export interface ReplySummary {
  /** Lines whose answer is new, or another than before. */
  readonly taken: number;
  /** Lines answered as they were before. */
  readonly known: number;
  readonly unanswered: number;
  /** Lines whose new answer changes no case, because it was taken back from the department before. */
  readonly withdrawn: readonly { readonly number: string; readonly line: number }[];
}

/**
 * Reads a correction list that a department sent back. Where it says that the record is corrected, the case waits for
 * the delivery that shows it; with every other answer the case comes back to its officer, or to the queue.
 *
 * All or nothing: one line that cannot be understood refuses the file.
 *
 * @throws ANSWER_FILE naming the lines; the SOURCE_ codes
 */
export async function takeReplies(
  warehouse: Queryable,
  file: AnsweredFile,
  replying: Replying,
): Promise<ReplySummary> {
  const rows = await readAnsweredFile(file, Object.values(HEADINGS));
  const faults: string[] = [];
  const answers: Answer[] = [];
  const seen = new Set<string>();
  for (const row of rows) {
    const word = row.of(HEADINGS.reply);
    if (word === '') continue;
    const reply = replyOf(word);
    const line = numberIn(row.of(HEADINGS.line));
    if (reply === undefined)
      faults.push(`第 ${row.line} 行：${HEADINGS.reply}应为 ${Object.values(REPLIES).join('、')}`);
    else if (line === null) faults.push(`第 ${row.line} 行：${HEADINGS.line}不是数字`);
    else if (seen.has(`${row.of(HEADINGS.number)} ${line}`))
      faults.push(`第 ${row.line} 行：校核单的第 ${line} 行填写了两次`);
    else answers.push({ number: row.of(HEADINGS.number), line, reply, note: row.of(HEADINGS.note) });
    seen.add(`${row.of(HEADINGS.number)} ${line}`);
  }
  refuseFaults(file, [...faults, ...(await unknownLines(replying.within, answers))]);
  const summary = await warehouse.db.transaction().execute(async (tx) => {
    await stageAnswers(tx, answers);
    const withdrawn = await withdrawnLines(tx);
    const taken = await writeAnswers(tx, replying);
    await recordAct(tx, { actor: replying.by, action: 'correction', detail: { answered: taken } });
    return { taken, known: answers.length - taken, unanswered: rows.length - answers.length, withdrawn };
  });
  await enterMoves(warehouse);
  return summary;
}

function replyOf(word: string): Reply | undefined {
  const known: readonly Reply[] = ['corrected', 'right_as_it_is', 'not_found', 'not_ours'];
  return known.find((reply) => REPLIES[reply] === word);
}

/** After: temporary table `answer` has each answered line. */
async function stageAnswers(tx: Transaction<DB>, answers: readonly Answer[]): Promise<void> {
  await sql`
    CREATE TEMPORARY TABLE answer ON COMMIT DROP AS
    SELECT number, line, reply, nullif(note, '') AS note FROM ${given(answers)}`.execute(tx);
}

async function unknownLines({ db }: Queryable, answers: readonly Answer[]): Promise<string[]> {
  const { rows } = await sql<{ number: string; line: number }>`
    SELECT a.number, a.line FROM ${given(answers)}
    WHERE NOT EXISTS (SELECT FROM anomalies.correction c JOIN anomalies.correction_line l USING (correction_id)
                      WHERE c.number = a.number AND l.line = a.line)
    ORDER BY a.number, a.line`.execute(db);
  return rows.map(({ number, line }) => `没有校核单 ${shown(number)} 第 ${line} 行`);
}

const given = (answers: readonly Answer[]): RawBuilder<unknown> => sql`
  jsonb_to_recordset(${JSON.stringify(answers)}::jsonb) AS a (number text, line integer, reply text, note text)`;

/** The lines with a new answer that nobody asks for any more. */
async function withdrawnLines(tx: Transaction<DB>): Promise<{ number: string; line: number }[]> {
  const { rows } = await sql<{ number: string; line: number }>`
    SELECT c.number, l.line FROM answer n JOIN anomalies.correction c USING (number)
    JOIN anomalies.correction_line l USING (correction_id, line) JOIN anomalies.anomaly a USING (anomaly_id)
    WHERE (l.reply, l.note) IS DISTINCT FROM (n.reply, n.note) AND ${IS_WITHDRAWN}
    ORDER BY c.correction_id, l.line`.execute(tx);
  return rows;
}

/** @returns how many answers were new */
async function writeAnswers(tx: Transaction<DB>, { by, on }: Replying): Promise<number> {
  await sql`
    CREATE TEMPORARY TABLE answered (anomaly_id bigint, event_id bigint, reply text, note text) ON COMMIT DROP`.execute(
    tx,
  );
  const { numAffectedRows } = await sql`
    WITH written AS (
      UPDATE anomalies.correction_line l
      SET reply = a.reply, note = a.note, replied_by = ${by}, replied_at = now()
      FROM answer a JOIN anomalies.correction c USING (number)
      WHERE l.correction_id = c.correction_id AND l.line = a.line AND (l.reply, l.note) IS DISTINCT FROM (a.reply, a.note)
      RETURNING l.anomaly_id, l.event_id, l.reply, l.note)
    INSERT INTO answered SELECT anomaly_id, event_id, reply, note FROM written`.execute(tx);
  // An answer to a line that is withdrawn, or to a case that is closed by now, is kept with its line alone.
  const goesOn = sql`c.reply <> 'corrected'`;
  await changeCases(tx, {
    chosen: sql`
      SELECT a.*, l.reply, l.note FROM anomalies.anomaly a JOIN answered l USING (anomaly_id)
      WHERE ${IS_ASKED}
      ORDER BY a.anomaly_id FOR UPDATE OF a`,
    set: {
      status: sql`CASE WHEN NOT (${goesOn}) THEN c.status WHEN c.owner IS NULL THEN 'new' ELSE 'assigned' END`,
      returned_to: sql`CASE WHEN NOT (${goesOn}) THEN c.returned_to END`,
    },
    event: { kind: sql`'answered'`, actor: by, on, reason: sql`c.reply`, comment: sql`c.note` },
  });
  return Number(numAffectedRows ?? 0);
}
