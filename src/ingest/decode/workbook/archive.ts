import { type FileHandle, mkdtemp, open, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { type Entry, fromFdPromise, type ZipFile } from 'yauzl';
import { PopshareError } from '../../../schema/errors.ts';
import { refuseExpansion } from '../bytes.ts';
import type { Limits } from '../limits.ts';

/** The parts of an Open Packaging Conventions package (ECMA-376 part 2), by name. */
export interface Archive {
  has(part: string): boolean;
  /** The bytes of a part. Throws SOURCE_FORMAT when it is missing or broken, SOURCE_TOO_LARGE beyond the limits. */
  read(part: string): AsyncGenerator<Buffer>;
  close(): Promise<void>;
}

/**
 * Spools a ZIP archive to a temporary file, because its directory stands at its end, and reads the directory. The
 * temporary file has no name any more when this returns: it goes with the process, whatever happens to it.
 *
 * Throws SOURCE_FORMAT when it is no such archive, SOURCE_TOO_LARGE beyond the limits.
 */
export async function openArchive(bytes: AsyncGenerator<Buffer>, limits: Limits): Promise<Archive> {
  const file = await spool(bytes, limits);
  try {
    const zip = await fromFdPromise(file.fd, { autoClose: false });
    const entries = await readDirectory(zip, limits);
    return archiveOf(file, zip, entries, limits);
  } catch (error) {
    await file.close();
    throw archiveError(error);
  }
}

async function spool(bytes: AsyncGenerator<Buffer>, limits: Limits): Promise<FileHandle> {
  const folder = await mkdtemp(path.join(tmpdir(), 'popshare-'));
  const file = await open(path.join(folder, 'workbook'), 'wx+', 0o600);
  await rm(folder, { recursive: true });
  try {
    let size = 0;
    for await (const piece of bytes) {
      size += piece.length;
      if (size > limits.workbookBytes) {
        throw new PopshareError(
          'SOURCE_TOO_LARGE',
          `The workbook has more than ${limits.workbookBytes} bytes.`,
        );
      }
      await file.writeFile(piece);
    }
    return file;
  } catch (error) {
    await file.close();
    throw error;
  }
}

async function readDirectory(zip: ZipFile, limits: Limits): Promise<Map<string, Entry>> {
  const entries = new Map<string, Entry>();
  let count = 0;
  for await (const entry of zip.eachEntry()) {
    count += 1;
    if (count > limits.archiveEntries) {
      throw new PopshareError(
        'SOURCE_TOO_LARGE',
        `The workbook has more than ${limits.archiveEntries} parts.`,
      );
    }
    entries.set(entry.fileName.toLowerCase(), entry);
  }
  return entries;
}

function archiveOf(file: FileHandle, zip: ZipFile, entries: Map<string, Entry>, limits: Limits): Archive {
  let total = 0;
  let closed = false;
  return {
    has: (part) => entries.has(part.toLowerCase()),
    async *read(part) {
      // Part names are compared without regard to case.
      const entry = entries.get(part.toLowerCase());
      if (entry === undefined) throw new PopshareError('SOURCE_FORMAT', `The workbook has no part ${part}.`);
      let expanded = 0;
      try {
        const stream: AsyncIterable<Buffer> = await zip.openReadStreamPromise(entry);
        for await (const chunk of stream) {
          total += chunk.length;
          expanded += chunk.length;
          refuseExpansion(
            `The workbook's ${part}`,
            total,
            limits.workbookBytes,
            expanded,
            entry.compressedSize,
            limits,
          );
          yield chunk;
        }
      } catch (error) {
        throw archiveError(error);
      }
    },
    async close() {
      if (closed) return;
      closed = true;
      await file.close();
    },
  };
}

function archiveError(cause: unknown): unknown {
  if (cause instanceof PopshareError || !(cause instanceof Error)) return cause;
  return new PopshareError('SOURCE_FORMAT', `The workbook's archive is broken: ${cause.message}.`, { cause });
}
