import { createReadStream } from 'node:fs';
import { createInterface } from 'node:readline';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { from as copyFrom } from 'pg-copy-streams';
import type { Warehouse } from '../src/schema/warehouse/connect.ts';
import { copyRows } from '../src/schema/warehouse/copy.ts';

/**
 * A tab-separated file with a heading, as a new table; columns that the file has beyond those are left out, cells that
 * a line lacks are empty.
 */
export async function bringTsv(
  warehouse: Warehouse,
  file: string,
  name: string,
  columns: string,
): Promise<void> {
  const client = await warehouse.pool.connect();
  try {
    await client.query(`CREATE TABLE ${name} (${columns})`);
    const rows = Readable.from(rowsOf(file, columns.split(',').length));
    await pipeline(rows, client.query(copyFrom(`COPY ${name} FROM STDIN`)));
  } finally {
    client.release();
  }
}

/** In blocks, because the truth of a million persons has millions of lines. */
async function* rowsOf(file: string, width: number): AsyncGenerator<string> {
  const lines = createInterface({ input: createReadStream(file), crlfDelay: Number.POSITIVE_INFINITY });
  let isHeading = true;
  let block: string[][] = [];
  for await (const line of lines) {
    if (!isHeading) {
      const cells = line.split('\t');
      block.push(Array.from({ length: width }, (_, index) => cells[index] ?? ''));
    }
    isHeading = false;
    if (block.length === 10_000) {
      yield copyRows(block);
      block = [];
    }
  }
  yield copyRows(block);
}
