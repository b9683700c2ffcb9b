import { PopshareError } from '../../schema/errors.ts';
import type { Progress } from './bytes.ts';
import type { Limits } from './limits.ts';
import { BATCH_ROWS, type DecodedSource, decodedSource, encodingProblem, type RawRow } from './rows.ts';

/**
 * The rows of JSON lines: one object a line, blank lines skipped. Strings are taken as they are, other values as their
 * JSON text with every digit the sender wrote, null and absent keys as ''. A line that is no object is a row with
 * the problem NOT_AN_OBJECT, whose only field is the line.
 *
 * Throws SOURCE_FORMAT when `columns` is not given and the first line is no object, SOURCE_TOO_LARGE for too many
 * columns. A source without lines has no rows and is legitimate.
 *
 * @param texts whole lines
 * @param columns the names to look for in each object; null takes the keys of the first object
 */
export async function jsonLineRows(
  texts: AsyncGenerator<string>,
  columns: readonly string[] | null,
  encoding: string,
  limits: Limits,
  progress: Progress,
): Promise<DecodedSource> {
  const batches = nonBlankLines(texts);
  let batch = await batches.next();
  while (!batch.done && batch.value.length === 0) batch = await batches.next();
  const first = batch.done ? [] : batch.value;
  const header = columns === null ? keysOfFirst(first[0]) : [...columns];
  if (header.length > limits.columns) {
    throw new PopshareError(
      'SOURCE_TOO_LARGE',
      `Line 1 has ${header.length} keys; ${limits.columns} are allowed.`,
    );
  }

  async function* rows(): AsyncGenerator<RawRow[]> {
    try {
      let line = 1;
      for (let lines = first; ; ) {
        for (let start = 0; start < lines.length; start += BATCH_ROWS) {
          const slice = lines.slice(start, start + BATCH_ROWS);
          const numbered = slice.map((text, index) => readLine(text, line + index, header));
          line += numbered.length;
          progress.line = line - 1;
          yield numbered;
        }
        const next = await batches.next();
        if (next.done) return;
        lines = next.value;
      }
    } finally {
      await batches.return(undefined);
    }
  }
  return decodedSource(header, encoding, rows(), batches);
}

async function* nonBlankLines(texts: AsyncGenerator<string>): AsyncGenerator<string[]> {
  for await (const text of texts) yield text.split('\n').filter((line) => line.trim() !== '');
}

function keysOfFirst(line: string | undefined): string[] {
  if (line === undefined) return [];
  const object = parseObject(line);
  if (object === null) throw new PopshareError('SOURCE_FORMAT', 'Line 1 is not a JSON object.');
  return [...object.keys()];
}

function readLine(text: string, line: number, header: string[]): RawRow {
  const object = parseObject(text);
  if (object === null) {
    const fields = [text.replace(/\r$/, '')];
    const problem = encodingProblem(fields) ?? { code: 'NOT_AN_OBJECT', message: '该行不是 JSON 对象' };
    return { line, fields, problem };
  }
  const fields = header.map((name) => object.get(name) ?? '');
  return { line, fields, problem: encodingProblem(fields) };
}

/** The values of a JSON object as text, or null when the line is something else. */
function parseObject(line: string): Map<string, string> | null {
  const numbers: { holder: unknown; key: string; source: string }[] = [];
  // The third argument (ECMAScript 2026, JSON.parse source text access) keeps the digits that a double loses.
  function noteNumber(this: unknown, key: string, value: unknown, context?: { source?: string }): unknown {
    if (typeof value === 'number')
      numbers.push({ holder: this, key, source: context?.source ?? String(value) });
    return value;
  }
  try {
    const object: unknown = JSON.parse(line, noteNumber);
    if (typeof object !== 'object' || object === null || Array.isArray(object)) return null;
    const texts = new Map(Object.entries(object).map(([key, value]) => [key, textOf(value)]));
    for (const { holder, key, source } of numbers) if (holder === object) texts.set(key, source);
    return texts;
  } catch {
    // Not JSON; or nested so deeply that it cannot be read or written.
    return null;
  }
}

function textOf(value: unknown): string {
  if (typeof value === 'string') return value;
  return value === null ? '' : JSON.stringify(value);
}
