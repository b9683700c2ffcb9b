import { pipeline, type Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { PopshareError } from '../../schema/errors.ts';
import type { Limits } from './limits.ts';

/** Large enough that the cost per block vanishes, small enough that a few blocks weigh nothing. */
const BLOCK_BYTES = 256 * 1024;

/** The last line that was handed on: lets a failure further down say where it happened. */
export interface Progress {
  line: number;
}

/**
 * The bytes of a source, unpacked when it is gzip, in pieces of at most 256 KiB. The source is destroyed when the
 * consumer stops early.
 *
 * Throws SOURCE_UNREADABLE when the source fails, SOURCE_FORMAT when gzip is broken or cut off, SOURCE_TOO_LARGE
 * when it expands beyond the limits.
 */
export async function* readBytes(source: Readable, gzip: boolean, limits: Limits): AsyncGenerator<Buffer> {
  const gunzip = gzip ? createGunzip({ chunkSize: BLOCK_BYTES }) : null;
  // The callback only keeps a failure from being thrown twice: the loop below receives it.
  const bytes = gunzip === null ? source : pipeline(source, gunzip, () => {});
  let expanded = 0;
  try {
    for await (const chunk of bytes) {
      if (!Buffer.isBuffer(chunk)) throw new TypeError('decodeRows needs a stream of bytes');
      if (gunzip !== null) {
        expanded += chunk.length;
        refuseExpansion('The gzip file', expanded, limits.gzipBytes, expanded, gunzip.bytesWritten, limits);
      }
      for (let start = 0; start < chunk.length; start += BLOCK_BYTES) {
        yield chunk.subarray(start, start + BLOCK_BYTES);
      }
    }
  } catch (cause) {
    throw sourceError(cause);
  }
}

function sourceError(cause: unknown): unknown {
  if (cause instanceof PopshareError || cause instanceof TypeError) return cause;
  if (cause instanceof Error && 'code' in cause && String(cause.code).startsWith('Z_')) {
    return new PopshareError('SOURCE_FORMAT', `The gzip file is broken or cut off: ${cause.message}.`, {
      cause,
    });
  }
  return new PopshareError('SOURCE_UNREADABLE', 'Reading the source failed before its end.', { cause });
}

/**
 * The guard against archives that unpack to far more than they weigh. Called while inflating, with what was really
 * produced: sizes in an archive's headers are claims.
 *
 * @param total bytes produced so far that count against `totalLimit`
 * @param expanded bytes produced so far from the `compressed` bytes; the ratio of the two is limited
 */
export function refuseExpansion(
  what: string,
  total: number,
  totalLimit: number,
  expanded: number,
  compressed: number,
  limits: Limits,
): void {
  if (total > totalLimit) {
    throw new PopshareError('SOURCE_TOO_LARGE', `${what} unpacks to more than ${totalLimit} bytes.`);
  }
  if (expanded > limits.expansionRatioFrom && expanded > compressed * limits.expansionRatio) {
    throw new PopshareError(
      'SOURCE_TOO_LARGE',
      `${what} unpacks to more than ${limits.expansionRatio} times its size, as only an archive bomb does.`,
    );
  }
}

/**
 * Reads ahead without losing anything.
 *
 * @returns `head`: at least `length` bytes, or all there are (`complete`); `all`: the bytes from the first
 */
export async function readAhead(
  bytes: AsyncGenerator<Buffer>,
  length: number,
): Promise<{ head: Buffer; complete: boolean; all: AsyncGenerator<Buffer> }> {
  const pieces: Buffer[] = [];
  let size = 0;
  let complete = false;
  while (size < length && !complete) {
    const next = await bytes.next();
    if (next.done) {
      complete = true;
    } else {
      pieces.push(next.value);
      size += next.value.length;
    }
  }
  async function* all(): AsyncGenerator<Buffer> {
    try {
      for (let piece = pieces.shift(); piece !== undefined; piece = pieces.shift()) yield piece;
      yield* bytes;
    } finally {
      await bytes.return(undefined);
    }
  }
  return { head: Buffer.concat(pieces), complete, all: all() };
}

/**
 * Cuts bytes into blocks of about 256 KiB that end where a line ends (the last one ends where the source ends), so
 * that each block can be decoded by itself. Exact for UTF-8 and GB 18030, where the byte 0x0A is never part of
 * another character, and for UTF-16LE, where it is looked for on even offsets only.
 *
 * Throws SOURCE_TOO_LARGE when a line is longer than `limits.rowBytes`; no more than that is ever held.
 */
export async function* lineBlocks(
  bytes: AsyncGenerator<Buffer>,
  wide: boolean,
  limits: Limits,
  progress: Progress,
): AsyncGenerator<Buffer> {
  let pieces: Buffer[] = [];
  let size = 0;
  let wanted = BLOCK_BYTES;
  for await (const piece of bytes) {
    pieces.push(piece);
    size += piece.length;
    if (size < wanted) continue;
    const block = Buffer.concat(pieces, size);
    const end = endOfLastLine(block, wide);
    refuseLongLine(block, end, wide, limits, progress);
    if (end > 0) yield block.subarray(0, end);
    pieces = [block.subarray(end)];
    size -= end;
    wanted = size + BLOCK_BYTES;
  }
  const rest = Buffer.concat(pieces, size);
  refuseLongLine(rest, endOfLastLine(rest, wide), wide, limits, progress);
  if (size > 0) yield rest;
}

/** Only the first line of a block, which can have grown over several, and the unfinished last one can be too long. */
function refuseLongLine(block: Buffer, end: number, wide: boolean, limits: Limits, progress: Progress): void {
  if (block.length <= limits.rowBytes) return;
  const firstEnd = wide ? block.indexOf('\n', 0, 'utf16le') : block.indexOf(0x0a);
  if (firstEnd === -1 || firstEnd > limits.rowBytes || block.length - end > limits.rowBytes) {
    throw new PopshareError(
      'SOURCE_TOO_LARGE',
      `A row after line ${progress.line} is longer than ${limits.rowBytes} bytes.`,
    );
  }
}

/** Offset behind the last line feed, 0 when there is none. */
function endOfLastLine(block: Buffer, wide: boolean): number {
  if (!wide) return block.lastIndexOf(0x0a) + 1;
  for (let at = block.length - (block.length % 2) - 2; at >= 0; at -= 2) {
    if (block[at] === 0x0a && block[at + 1] === 0) return at + 2;
  }
  return 0;
}
