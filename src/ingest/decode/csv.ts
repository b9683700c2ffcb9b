import { pipeline, Readable } from 'node:stream';
import { CsvError, parse } from 'csv-parse';
import { PopshareError } from '../../schema/errors.ts';
import type { Progress } from './bytes.ts';
import type { Limits } from './limits.ts';
import { BATCH_ROWS, type RecordBatch } from './rows.ts';
import { isStorable } from './text.ts';

/**
 * The records of CSV text (RFC 4180, with LF as well as CRLF). Blank lines are skipped.
 *
 * Splitting is exact, and several times faster than a parser, as long as no quote has been seen; from the first block
 * of text with a quote on, csv-parse reads the rest. A quote inside an unquoted field is an ordinary character.
 *
 * Throws SOURCE_TOO_LARGE for a record beyond `limits.rowBytes`, SOURCE_FORMAT for a quote that is never closed.
 *
 * @param texts whole lines
 */
export async function* csvRecords(
  texts: AsyncGenerator<string>,
  delimiter: string,
  limits: Limits,
  progress: Progress,
): AsyncGenerator<RecordBatch> {
  try {
    for (let next = await texts.next(); !next.done; next = await texts.next()) {
      if (next.value.includes('"')) {
        yield* quotedRecords(next.value, texts, delimiter, limits, progress);
        return;
      }
      yield { records: unquotedRecords(next.value, delimiter), storable: isStorable(next.value) };
    }
  } finally {
    await texts.return(undefined);
  }
}

function unquotedRecords(text: string, delimiter: string): string[][] {
  const records: string[][] = [];
  for (const physical of text.split('\n')) {
    const line = physical.endsWith('\r') ? physical.slice(0, -1) : physical;
    if (line !== '') records.push(line.split(delimiter));
  }
  return records;
}

async function* quotedRecords(
  first: string,
  following: AsyncGenerator<string>,
  delimiter: string,
  limits: Limits,
  progress: Progress,
): AsyncGenerator<RecordBatch> {
  let storable = true;
  async function* parserInput(): AsyncGenerator<string> {
    for (let text = first; ; ) {
      if (!isStorable(text)) storable = false;
      yield text.isWellFormed() ? text : hideEscapes(text);
      const next = await following.next();
      if (next.done) return;
      text = next.value;
    }
  }
  const parser = parse({
    delimiter,
    record_delimiter: ['\r\n', '\n'],
    relax_quotes: true,
    relax_column_count: true,
    skip_empty_lines: true,
    max_record_size: limits.rowBytes,
  });
  // The callback only keeps a failure from being thrown twice: the loop below receives it.
  pipeline(Readable.from(parserInput(), { highWaterMark: 1 }), parser, () => {});
  const parsed: AsyncIterable<string[]> = parser;
  let records: string[][] = [];
  try {
    for await (const record of parsed) {
      records.push(storable ? record : record.map(restoreEscapes));
      if (records.length === BATCH_ROWS) {
        yield { records, storable };
        records = [];
      }
    }
  } catch (cause) {
    throw parserError(cause, limits, progress);
  }
  if (records.length > 0) yield { records, storable };
}

function parserError(cause: unknown, limits: Limits, progress: Progress): unknown {
  if (!(cause instanceof CsvError)) return cause;
  const where = `in a row after line ${progress.line}`;
  if (cause.code === 'CSV_MAX_RECORD_SIZE') {
    const what = `more than ${limits.rowBytes} bytes; a quote that is opened and never closed does this`;
    return new PopshareError('SOURCE_TOO_LARGE', `There are ${what}, ${where}.`, { cause });
  }
  if (cause.code === 'CSV_QUOTE_NOT_CLOSED') {
    return new PopshareError('SOURCE_FORMAT', `A quote is opened and never closed, ${where}.`, { cause });
  }
  return new PopshareError('SOURCE_FORMAT', `The CSV cannot be read ${where}: ${cause.code}.`, { cause });
}

// csv-parse works on UTF-8, which has no lone surrogates: while it reads, undecodable bytes are the last 128
// characters of the last private use plane, which stand in no department's text.
function hideEscapes(text: string): string {
  return text.replace(/[\udc80-\udcff]/gu, (byte) =>
    String.fromCodePoint(byte.charCodeAt(0) - 0xdc00 + 0x10ff00),
  );
}

function restoreEscapes(field: string): string {
  return field.replace(/[\u{10ff80}-\u{10ffff}]/gu, (hidden) => {
    return String.fromCharCode((hidden.codePointAt(0) ?? 0) - 0x10ff00 + 0xdc00);
  });
}
