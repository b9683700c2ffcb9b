import { open } from 'node:fs/promises';
import iconv from 'iconv-lite';
import type { SynthFeed } from './feed.ts';
import { ENOUGH_TO_WRITE, HashedFile, type RowWriter } from './row-writer.ts';
import { openWorkbook } from './workbook.ts';

/** Opens a feed's file for writing, in the feed's format, with its header if the format has one. */
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

function jsonLine(columns: readonly string[], values: readonly string[]): string {
  return `${JSON.stringify(Object.fromEntries(columns.map((name, index) => [name, values[index]])))}\n`;
}

function quoted(value: string, delimiter: string): string {
  if (!value.includes(delimiter) && !value.includes('"')) return value;
  return `"${value.replaceAll('"', '""')}"`;
}
