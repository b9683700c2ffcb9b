import type { Readable } from 'node:stream';
import { PopshareError } from '../../schema/errors.ts';
import { lineBlocks, type Progress, readAhead, readBytes } from './bytes.ts';
import { csvRecords } from './csv.ts';
import { DETECTION_BYTES, detectEncoding } from './encoding.ts';
import { jsonLineRows } from './json-lines.ts';
import { DEFAULT_LIMITS, type Limits } from './limits.ts';
import { type DecodedSource, tableRows } from './rows.ts';
import { refuseOtherFormat } from './signature.ts';
import { decodeBlocks } from './text.ts';
import { openArchive } from './workbook/archive.ts';
import { workbookRecords } from './workbook/worksheet.ts';

export type { DecodedSource, RawRow } from './rows.ts';

export interface DecodeOptions {
  format: 'csv' | 'xlsx' | 'jsonl';
  /** Whether the bytes are packed with gzip. */
  gzip: boolean;
  /** Of CSV; a comma unless given. */
  delimiter?: string;
  /** `auto` unless given, for JSON lines `utf-8` (RFC 8259, 8.1). A byte order mark wins over it. */
  encoding?: 'utf-8' | 'gb18030' | 'gbk' | 'auto';
  /** Of JSON lines: the names to look for in each object; the keys of the first object unless given. */
  columns?: readonly string[];
  limits?: Limits;
}

/**
 * Reads a delivery's bytes as rows of strings, in batches, with a few blocks in memory whatever the size of the
 * source. What is wrong with one row is that row's `problem`; what is wrong with the source is thrown, here or
 * while the rows are read:
 *
 * SOURCE_EMPTY no header; SOURCE_FORMAT not the format, or broken; SOURCE_ENCODING not text in the encoding;
 * SOURCE_TOO_LARGE beyond the limits; SOURCE_UNREADABLE the source failed. The source is destroyed when the rows end,
 * fail or are left early.
 *
 * @param source the bytes as they were landed
 */
export async function decodeRows(source: Readable, options: DecodeOptions): Promise<DecodedSource> {
  const limits = options.limits ?? DEFAULT_LIMITS;
  const bytes = readBytes(source, options.gzip, limits);
  try {
    return options.format === 'xlsx'
      ? await decodeWorkbook(bytes, limits)
      : await decodeText(bytes, options.format, options, limits);
  } catch (error) {
    source.destroy();
    throw error;
  }
}

async function decodeText(
  bytes: AsyncGenerator<Buffer>,
  format: 'csv' | 'jsonl',
  options: DecodeOptions,
  limits: Limits,
): Promise<DecodedSource> {
  const { head, complete, all } = await readAhead(bytes, DETECTION_BYTES);
  if (head.length === 0 && format === 'csv')
    throw new PopshareError('SOURCE_EMPTY', 'The source has 0 bytes.');
  refuseOtherFormat(head, format);
  const encoding = detectEncoding(
    head,
    complete,
    options.encoding ?? (format === 'jsonl' ? 'utf-8' : 'auto'),
  );
  const progress: Progress = { line: 0 };
  const blocks = lineBlocks(all, encoding === 'utf-16le', limits, progress);
  const texts = decodeBlocks(blocks, encoding, limits, progress);
  if (format === 'jsonl') return jsonLineRows(texts, options.columns ?? null, encoding, limits, progress);
  return tableRows(csvRecords(texts, options.delimiter ?? ',', limits, progress), encoding, limits, progress);
}

async function decodeWorkbook(bytes: AsyncGenerator<Buffer>, limits: Limits): Promise<DecodedSource> {
  const { head, all } = await readAhead(bytes, 8);
  if (head.length === 0) throw new PopshareError('SOURCE_EMPTY', 'The source has 0 bytes.');
  refuseOtherFormat(head, 'xlsx');
  const archive = await openArchive(all, limits);
  const progress: Progress = { line: 0 };
  try {
    return await tableRows(workbookRecords(archive, limits, progress), 'utf-8', limits, progress);
  } catch (error) {
    await archive.close();
    throw error;
  }
}
