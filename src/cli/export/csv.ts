import { createWriteStream } from 'node:fs';
import { Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { PoolClient } from 'pg';
import { to as copyTo } from 'pg-copy-streams';
import { selectFrom, type View } from './views.ts';

const QUOTE = 0x22;
const LINE_FEED = 0x0a;
const CRLF = Buffer.from('\r\n');

/**
 * Writes a view as CSV (RFC 4180) in UTF-8, its columns' names in the first record. No value is an empty field, an empty
 * text is `""`; booleans are `true` and `false`, moments have their offset.
 *
 * @param file a new file
 * @returns how many rows
 */
export async function writeCsv(reader: PoolClient, view: View, file: string): Promise<number> {
  const select = selectFrom(view, ({ type }, name) => (type === 'bool' ? `${name}::text` : name));
  const rows = reader.query(copyTo(`COPY (${select}) TO STDOUT (FORMAT csv, HEADER true, ENCODING 'UTF8')`));
  await pipeline(rows, recordsEndInCrlf(), createWriteStream(file, { flags: 'wx', flush: true }));
  return rows.rowCount;
}

/** COPY ends a record with a line feed alone. One between quotes is of the value; bytes of UTF-8 are neither. */
function recordsEndInCrlf(): Transform {
  let isQuoted = false;
  return new Transform({
    transform(chunk: Buffer, _encoding, done) {
      const parts: Buffer[] = [];
      let from = 0;
      for (let at = 0; at < chunk.length; at++) {
        if (chunk[at] === QUOTE) isQuoted = !isQuoted;
        else if (chunk[at] === LINE_FEED && !isQuoted) {
          parts.push(chunk.subarray(from, at), CRLF);
          from = at + 1;
        }
      }
      parts.push(chunk.subarray(from));
      done(null, Buffer.concat(parts));
    },
  });
}
