import { Readable } from 'node:stream';
import { type DecodeOptions, decodeRows, type RawRow } from '../../src/ingest/decode/decode.ts';

interface Decoded {
  header: string[];
  encoding: string;
  rows: RawRow[];
}

/** Decodes bytes that arrive in the pieces given, to the end. */
export async function decodeAll(
  source: Readable | Buffer | string | Iterable<Buffer>,
  options: Partial<DecodeOptions> = {},
): Promise<Decoded> {
  const stream =
    source instanceof Readable
      ? source
      : Readable.from(typeof source === 'string' || Buffer.isBuffer(source) ? [Buffer.from(source)] : source);
  await using decoded = await decodeRows(stream, { format: 'csv', gzip: false, ...options });
  const rows: RawRow[] = [];
  for await (const batch of decoded.rows) rows.push(...batch);
  return { header: decoded.header, encoding: decoded.encoding, rows };
}

export function fieldsOf(decoded: Decoded): string[][] {
  return decoded.rows.map((row) => row.fields);
}

export function problemsOf(decoded: Decoded): (string | null)[] {
  return decoded.rows.map((row) => row.problem?.code ?? null);
}
