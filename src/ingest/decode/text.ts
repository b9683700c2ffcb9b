import { PopshareError } from '../../schema/errors.ts';
import type { Progress } from './bytes.ts';
import { decodeEscaping, decodeStrictly, type Encoding } from './encoding.ts';
import type { Limits } from './limits.ts';

/** In the first block, this share of bad lines, and at least this many, mean that the whole source is no such text. */
const RUBBISH_SHARE = 0.1;
const RUBBISH_LINES = 10;

/** Whether Postgres can store a text: no lone surrogates (undecodable bytes, {@link decodeEscaping}), no U+0000. */
export function isStorable(text: string): boolean {
  return text.isWellFormed() && !text.includes('\0');
}

/**
 * Decodes blocks of whole lines. A block that is not text in the encoding is decoded line by line, so that only the
 * lines concerned carry escaped bytes. The byte order mark is removed.
 *
 * Throws SOURCE_FORMAT or SOURCE_ENCODING when the first block is mostly no text, SOURCE_ENCODING when more than
 * `limits.undecodableLines` lines do not decode.
 */
export async function* decodeBlocks(
  blocks: AsyncIterable<Buffer>,
  encoding: Encoding,
  limits: Limits,
  progress: Progress,
): AsyncGenerator<string> {
  let first = true;
  let undecodable = 0;
  for await (const block of blocks) {
    let text = decodeStrictly(block, encoding);
    if (text === null) {
      const lines = decodeLines(block, encoding);
      text = lines.text;
      undecodable += lines.undecodable;
      if (undecodable > limits.undecodableLines) {
        throw new PopshareError(
          'SOURCE_ENCODING',
          `More than ${limits.undecodableLines} lines are not ${encoding}, the last of them after line ${progress.line}.`,
        );
      }
    }
    if (first) {
      first = false;
      if (text.startsWith('\ufeff')) text = text.slice(1);
      refuseRubbish(text, encoding);
    }
    yield text;
  }
}

function decodeLines(block: Buffer, encoding: Encoding): { text: string; undecodable: number } {
  const texts: string[] = [];
  let undecodable = 0;
  for (let start = 0; start < block.length; ) {
    const lineFeed = block.indexOf(0x0a, start);
    const end = lineFeed === -1 ? block.length : lineFeed + 1;
    const line = block.subarray(start, end);
    const text = decodeStrictly(line, encoding);
    if (text === null) undecodable += 1;
    texts.push(text ?? decodeEscaping(line, encoding));
    start = end;
  }
  return { text: texts.join(''), undecodable };
}

function refuseRubbish(text: string, encoding: Encoding): void {
  if (isStorable(text)) return;
  const lines = text.split('\n');
  const bad = lines.filter((line) => !isStorable(line)).length;
  if (bad < RUBBISH_LINES || bad <= lines.length * RUBBISH_SHARE) return;
  if (text.includes('\0')) {
    throw new PopshareError(
      'SOURCE_FORMAT',
      `The source is no text: ${bad} of its first ${lines.length} lines are binary.`,
    );
  }
  throw new PopshareError(
    'SOURCE_ENCODING',
    `${bad} of the first ${lines.length} lines are not text in ${encoding}.`,
  );
}
