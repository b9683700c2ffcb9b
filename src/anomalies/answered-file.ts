import { createReadStream, statSync } from 'node:fs';
import path from 'node:path';
import type { Readable } from 'node:stream';
import { decodeRows } from '../ingest/decode/decode.ts';
import { PopshareError } from '../schema/errors.ts';

/** A file that came back. */
export interface AnsweredFile {
  /** For messages. */
  readonly name: string;
  readonly format: 'csv' | 'xlsx';
  readonly bytes: Readable;
}

/**
 * A file in a folder; its name tells its format.
 *
 * @throws ANSWER_FILE when there is none
 */
export function answeredFileAt(file: string): AnsweredFile {
  if (!statSync(file, { throwIfNoEntry: false })?.isFile())
    throw new PopshareError('ANSWER_FILE', `there is no file ${file}`);
  const format = path.extname(file).toLowerCase() === '.xlsx' ? 'xlsx' : 'csv';
  return { name: file, format, bytes: createReadStream(file) };
}

/** One row of a file that came back, by its headings. */
export interface AnsweredRow {
  readonly line: number;
  readonly of: (heading: string) => string;
}

/** More faults than these are counted, not listed. */
const LISTED_FAULTS = 20;
/** More characters in a cell than anybody types: the file is another one, or broken. */
const LONGEST_CELL = 1000;
const SHOWN_CELL = 40;

/**
 * Reads a list that was sent out and has come back filled in (XLSX or CSV, in any encoding that deliveries may have).
 *
 * @param needed the headings that the file must have; other columns may be missing, or stand in another order
 * @throws ANSWER_FILE when a heading is missing or a row cannot be read; the SOURCE_ codes
 */
export async function readAnsweredFile(
  { name, format, bytes }: AnsweredFile,
  needed: readonly string[],
): Promise<AnsweredRow[]> {
  const source = await decodeRows(bytes, { format, gzip: false });
  const headings = source.header.map((heading) => heading.trim());
  const missing = needed.filter((heading) => !headings.includes(heading));
  if (missing.length > 0) throw new PopshareError('ANSWER_FILE', `${name}：缺少列 ${missing.join('、')}`);
  const rows: AnsweredRow[] = [];
  for await (const batch of source.rows) {
    for (const row of batch) {
      const cells = needed.map((heading) => row.fields[headings.indexOf(heading)] ?? '');
      if (row.problem !== null || cells.some((cell) => !cell.isWellFormed() || cell.includes('\0')))
        throw new PopshareError('ANSWER_FILE', `${name}：第 ${row.line} 行：无法读取`);
      if (cells.some(({ length }) => length > LONGEST_CELL))
        throw new PopshareError(
          'ANSWER_FILE',
          `${name}：第 ${row.line} 行：有超过 ${LONGEST_CELL} 字的单元格`,
        );
      rows.push({
        line: row.line,
        of: (heading) => (row.fields[headings.indexOf(heading)] ?? '').trim().replace(/^'(?=[=+\-@])/, ''),
      });
    }
  }
  return rows;
}

/** The number that a cell holds; null when it is none, or no number of a line or a check. */
export function numberIn(cell: string): number | null {
  return /^[1-9]\d{0,8}$/.test(cell) ? Number(cell) : null;
}

/** What somebody wrote, as a message can show it. */
export function shown(cell: string): string {
  return cell.length > SHOWN_CELL ? `${cell.slice(0, SHOWN_CELL)}…` : cell;
}

/**
 * Nothing of a file is taken over when one line of it is wrong: the sender mends it and sends it whole.
 *
 * @throws ANSWER_FILE naming the lines
 */
export function refuseFaults({ name }: AnsweredFile, faults: readonly string[]): void {
  if (faults.length === 0) return;
  const more = faults.length > LISTED_FAULTS ? [`另有 ${faults.length - LISTED_FAULTS} 处`] : [];
  throw new PopshareError(
    'ANSWER_FILE',
    `${name}：${[...faults.slice(0, LISTED_FAULTS), ...more].join('；')}`,
  );
}
