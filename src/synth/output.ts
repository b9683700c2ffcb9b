import { createHash } from 'node:crypto';
import { type FileHandle, open } from 'node:fs/promises';
import iconv from 'iconv-lite';
import type { SynthFeed } from './feed.ts';
import { openWorkbook } from './workbook.ts';

/** Characters that are collected before they are written. */
export const ENOUGH_TO_WRITE = 65_536;

/** Where the rows of one file go: collected by `add`; `flush` writes them when there are enough. */
export interface RowWriter {
  add(values: readonly string[]): void;
  flush(): Promise<void>;
  /** Ends the file. */
  close(): Promise<{ rows: number; sha256: string }>;
}

/** A new file whose sha256 is known when it is closed. */
export class HashedFile {
  readonly #handle: FileHandle;
  readonly #hash = createHash('sha256');

  constructor(handle: FileHandle) {
    this.#handle = handle;
  }

  async append(bytes: Uint8Array): Promise<void> {
    this.#hash.update(bytes);
    await this.#handle.writeFile(bytes);
  }

  async close(): Promise<string> {
    await this.#handle.close();
    return this.#hash.digest('hex');
  }
}

/** Opens a feed's file for writing, in the feed's format, with its header. */
export async function openFeedFile(path: string, feed: SynthFeed): Promise<RowWriter> {
  const file = new HashedFile(await open(path, 'wx'));
  if (feed.format === 'xlsx') return openWorkbook(file, feed.columns);
  if (feed.format === 'jsonl')
    return textWriter(file, 'utf8', '', (values) => jsonLine(feed.columns, values));
  const line = (values: readonly string[]) =>
    `${values.map((value) => quoted(value, feed.delimiter)).join(feed.delimiter)}\n`;
  return textWriter(file, feed.encoding, (feed.byteOrderMark ? '\uFEFF' : '') + line(feed.columns), line);
}

/** Opens a table of the truth: tab-separated UTF-8, with a header. */
export async function openTable(path: string, columns: readonly string[]): Promise<RowWriter> {
  const line = (values: readonly string[]) => `${values.join('\t')}\n`;
  return textWriter(new HashedFile(await open(path, 'wx')), 'utf8', line(columns), line);
}

function textWriter(
  file: HashedFile,
  encoding: 'gb18030' | 'utf8',
  header: string,
  line: (values: readonly string[]) => string,
): RowWriter {
  let pending = header;
  let rows = 0;
  const append = async () => {
    const text = pending;
    pending = '';
    await file.append(encoding === 'utf8' ? Buffer.from(text) : iconv.encode(text, encoding));
  };
  return {
    add(values) {
      pending += line(values);
      rows += 1;
    },
    async flush() {
      if (pending.length > ENOUGH_TO_WRITE) await append();
    },
    async close() {
      await append();
      return { rows, sha256: await file.close() };
    },
  };
}

function quoted(value: string, delimiter: string): string {
  if (!value.includes(delimiter) && !value.includes('"')) return value;
  return `"${value.replaceAll('"', '""')}"`;
}

function jsonLine(columns: readonly string[], values: readonly string[]): string {
  const entries = columns.map((column, index): [string, string] => [column, values[index] ?? '']);
  return `${JSON.stringify(Object.fromEntries(entries))}\n`;
}
