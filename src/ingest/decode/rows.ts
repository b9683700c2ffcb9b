import { PopshareError } from '../../schema/errors.ts';
import type { Progress } from './bytes.ts';
import type { Limits } from './limits.ts';
import { isStorable } from './text.ts';

/** Rows are handed on in batches: one asynchronous step for each row would cost more than decoding it. */
export const BATCH_ROWS = 2000;

export interface RawRow {
  /**
   * Which record of the source it is, not counting blank lines; a record of several physical lines counts once.
   * The header is record 1, so the first data row is 2; JSON lines have no header, their first row is 1.
   */
  line: number;
  /** As many as the header has, unless `problem` says otherwise. Undecodable bytes: see `encodeField`. */
  fields: string[];
  problem: null | { code: 'COLUMN_COUNT' | 'ENCODING' | 'NOT_AN_OBJECT'; message: string };
}

/** A source whose header has been read and whose rows are still to come. */
export interface DecodedSource extends AsyncDisposable {
  header: string[];
  /** The encoding found: `utf-8`, `gb18030`, `gbk` or `utf-16le`; `encodeField` takes it. */
  encoding: string;
  /** Batches of up to 2,000 rows. Can be read once; stopping early closes the source. */
  rows: AsyncIterable<RawRow[]>;
  /** Closes the source and removes what was spooled; needed only when `rows` is never read. */
  [Symbol.asyncDispose](): Promise<void>;
}

/** Records of a table as they come out of a format, the header among them. */
export interface RecordBatch {
  records: string[][];
  /** False when a field of the batch may hold U+0000 or undecodable bytes, so that each must be looked at. */
  storable: boolean;
}

/**
 * Turns the records of a table into a header and rows.
 *
 * Throws SOURCE_EMPTY when there is no record, SOURCE_ENCODING, SOURCE_FORMAT or SOURCE_TOO_LARGE when the first one
 * cannot be a header.
 */
export async function tableRows(
  batches: AsyncGenerator<RecordBatch>,
  encoding: string,
  limits: Limits,
  progress: Progress,
): Promise<DecodedSource> {
  let batch = await batches.next();
  while (!batch.done && batch.value.records.length === 0) batch = await batches.next();
  if (batch.done) throw new PopshareError('SOURCE_EMPTY', 'The source has no header and no rows.');
  const first = batch.value;
  const header = readHeader(first.records[0] ?? [], encoding, limits);

  async function* rows(): AsyncGenerator<RawRow[]> {
    try {
      let line = 2;
      for (let next = first, from = 1; ; from = 0) {
        for (let start = from; start < next.records.length; start += BATCH_ROWS) {
          const records = next.records.slice(start, start + BATCH_ROWS);
          const numbered = records.map((fields, index) => ({
            line: line + index,
            fields,
            problem: problemOf(fields, header.length, next.storable),
          }));
          line += numbered.length;
          progress.line = line - 1;
          yield numbered;
        }
        const following = await batches.next();
        if (following.done) return;
        next = following.value;
      }
    } finally {
      await batches.return(undefined);
    }
  }
  return decodedSource(header, encoding, rows(), batches);
}

/** @param below what `rows` reads from; closed with it even when `rows` was never started */
export function decodedSource(
  header: string[],
  encoding: string,
  rows: AsyncGenerator<RawRow[]>,
  below: AsyncGenerator<unknown>,
): DecodedSource {
  return {
    header,
    encoding,
    rows,
    async [Symbol.asyncDispose]() {
      await rows.return(undefined);
      await below.return(undefined);
    },
  };
}

// Line feeds and tabs are allowed: spreadsheets have headers of two lines.
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what it looks for
const BINARY = /[\0-\x08\x0b\x0c\x0e-\x1f\x7f]/;

/** The names of the columns, trimmed. */
function readHeader(fields: string[], encoding: string, limits: Limits): string[] {
  if (fields.length > limits.columns) {
    throw new PopshareError(
      'SOURCE_TOO_LARGE',
      `The header has ${fields.length} columns; ${limits.columns} are allowed.`,
    );
  }
  const header = fields.map((name) => name.trim());
  const all = header.join('');
  if (!all.isWellFormed())
    throw new PopshareError('SOURCE_ENCODING', `The header, line 1, is not text in ${encoding}.`);
  if (BINARY.test(all)) throw new PopshareError('SOURCE_FORMAT', 'The header, line 1, is binary, not text.');
  if (/\r(?!\n)/.test(all)) {
    throw new PopshareError(
      'SOURCE_FORMAT',
      'Lines end with a carriage return alone; a line feed is needed.',
    );
  }
  if (all === '') throw new PopshareError('SOURCE_FORMAT', 'The header, line 1, names no column.');
  const seen = new Set<string>();
  for (const name of header) {
    if (seen.has(name)) {
      const which = name === '' ? 'more than one column without a name' : `the column "${name}" twice`;
      throw new PopshareError('SOURCE_FORMAT', `The header, line 1, has ${which}.`);
    }
    seen.add(name);
  }
  return header;
}

/** Undecodable bytes come first: a damaged character often swallows the delimiter behind it. */
function problemOf(fields: string[], columns: number, storable: boolean): RawRow['problem'] {
  if (!storable) {
    const problem = encodingProblem(fields);
    if (problem !== null) return problem;
  }
  if (fields.length === columns) return null;
  return { code: 'COLUMN_COUNT', message: `应有 ${columns} 列，实有 ${fields.length} 列` };
}

/** Why the fields cannot be stored, or null. Names the first field concerned by its position, from 1. */
export function encodingProblem(fields: string[]): RawRow['problem'] {
  const index = fields.findIndex((field) => !isStorable(field));
  const field = fields[index];
  if (field === undefined) return null;
  const what = field.isWellFormed() ? '含有 NUL 字符（U+0000）' : '含有无法按报送编码识别的字节';
  return { code: 'ENCODING', message: `第 ${index + 1} 列${what}` };
}
