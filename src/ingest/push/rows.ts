import { createReadStream } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { PopshareError } from '../../schema/errors.ts';
import { lineBlocks, readBytes } from '../decode/bytes.ts';
import { decodeStrictly } from '../decode/encoding.ts';
import { DEFAULT_LIMITS } from '../decode/limits.ts';

/** A name that nobody knows is told, as far as a name of a column goes. */
const TOLD_CHARACTERS = 40;

/**
 * Looks at each line of a file of JSON lines in UTF-8, with a few blocks in memory: an object whose keys are columns and
 * whose values are texts, numbers, true, false or null. Blank lines are skipped.
 *
 * @param columns the source's names, as the binding has them
 * @returns how many rows
 * @throws ROWS_UNREADABLE, ROWS_COLUMNS, ROWS_EMPTY; SOURCE_TOO_LARGE for a row
 */
export async function countRows(file: string, columns: readonly string[]): Promise<number> {
  const bytes = readBytes(createReadStream(file), false, DEFAULT_LIMITS);
  const progress = { line: 0 };
  let rows = 0;
  for await (const block of lineBlocks(bytes, false, DEFAULT_LIMITS, progress)) {
    const text = decoded(block, `a line after line ${progress.line}`, progress.line === 0);
    const lines = text.split('\n');
    if (lines.at(-1) === '') lines.pop();
    for (const line of lines) {
      progress.line++;
      if (line.trim() === '') continue;
      requireRow(parsed(line, `line ${progress.line}`), `line ${progress.line}`, columns);
      rows++;
    }
  }
  return requireRows(rows);
}

/**
 * The objects of a JSON array as lines, each with the digits of its numbers as they were sent.
 *
 * @param file small enough to be read whole
 * @throws ROWS_UNREADABLE, ROWS_COLUMNS, ROWS_EMPTY
 */
export async function linesOfArray(
  file: string,
  columns: readonly string[],
): Promise<{ rows: number; lines: string }> {
  const array = parsed(decoded(await readFile(file), 'the body', true), 'the body');
  if (!Array.isArray(array)) throw new PopshareError('ROWS_UNREADABLE', 'the body is no JSON array');
  const lines = array.map((row: unknown, at) => {
    requireRow(row, `row ${at + 1}`, columns);
    return `${JSON.stringify(row)}\n`;
  });
  return { rows: requireRows(lines.length), lines: lines.join('') };
}

function decoded(bytes: Buffer, what: string, isFirst: boolean): string {
  const text = decodeStrictly(bytes, 'utf-8');
  if (text === null) throw new PopshareError('ROWS_UNREADABLE', `${what} is not UTF-8`);
  return isFirst ? text.replace(/^\ufeff/, '') : text;
}

function parsed(text: string, what: string): unknown {
  try {
    return JSON.parse(text, digitsKept);
  } catch {
    throw new PopshareError('ROWS_UNREADABLE', `${what} is not JSON`);
  }
}

/** A number is its text: a double would lose digits of a document number (JSON.parse source text access, ECMAScript 2026). */
function digitsKept(_key: string, value: unknown, context?: { source?: string }): unknown {
  return typeof value === 'number' ? (context?.source ?? String(value)) : value;
}

/** @throws ROWS_UNREADABLE, ROWS_COLUMNS */
function requireRow(row: unknown, what: string, columns: readonly string[]): void {
  if (typeof row !== 'object' || row === null || Array.isArray(row))
    throw new PopshareError('ROWS_UNREADABLE', `${what} is no JSON object`);
  for (const [name, value] of Object.entries(row)) {
    if (!columns.includes(name))
      throw new PopshareError(
        'ROWS_COLUMNS',
        `${what} has “${name.slice(0, TOLD_CHARACTERS)}”; expected ${columns.join(', ')}`,
      );
    if (typeof value === 'object' && value !== null)
      throw new PopshareError('ROWS_UNREADABLE', `${what}: ${name} has more than one value`);
  }
}

/** @throws ROWS_EMPTY */
function requireRows(rows: number): number {
  if (rows === 0) throw new PopshareError('ROWS_EMPTY', 'the body has no rows');
  return rows;
}
