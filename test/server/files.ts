import { Readable } from 'node:stream';
import { decodeRows } from '../../src/ingest/decode/decode.ts';

/** The cells of a file that a route answered with: all lines, the first included. */
export async function linesOf(bytes: Buffer, format: 'csv' | 'xlsx'): Promise<string[][]> {
  const source = await decodeRows(Readable.from([bytes]), { format, gzip: false });
  const lines = [[...source.header]];
  for await (const batch of source.rows) for (const row of batch) lines.push([...row.fields]);
  return lines;
}

/** A table as CSV, as an office program would save it. */
export function csv(lines: readonly (readonly string[])[]): Buffer {
  return Buffer.from(
    lines.map((line) => line.map((cell) => `"${cell.replaceAll('"', '""')}"`).join(',')).join('\r\n'),
  );
}

/** A full document number or mobile number, anywhere in a text. */
export const FULL_VALUE = /\d{17}[\dXx]|(?<!\d)1[3-9]\d{9}(?!\d)/;
