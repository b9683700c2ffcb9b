import { PopshareError } from '../../schema/errors.ts';

/** First bytes of what departments send by mistake, and what to call it. */
const SIGNATURES = [
  { bytes: '504b0304', name: 'an .xlsx workbook or another ZIP archive' },
  { bytes: 'd0cf11e0a1b11ae1', name: 'an .xls workbook, or one with a password' },
  { bytes: '1f8b', name: 'a gzip file' },
  { bytes: '25504446', name: 'a PDF document' },
] as const;

const ZIP = SIGNATURES[0];

/**
 * Refuses a source whose first bytes say that it is another format than the binding names, so that the message can
 * name what it is. Throws SOURCE_FORMAT.
 */
export function refuseOtherFormat(head: Buffer, format: 'csv' | 'jsonl' | 'xlsx'): void {
  const found = SIGNATURES.find(({ bytes }) => head.subarray(0, bytes.length / 2).toString('hex') === bytes);
  if (format === 'xlsx' ? found === ZIP : found === undefined) return;
  const what = found === undefined ? 'no workbook' : found.name;
  throw new PopshareError(
    'SOURCE_FORMAT',
    `The source should be ${format}, but its first bytes are ${what}.`,
  );
}
