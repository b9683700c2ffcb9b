import { open } from 'node:fs/promises';
import { fileWriter, ParquetWriter, type SchemaElement } from 'hyparquet-writer';
import type { PoolClient } from 'pg';
import { type Column, selectFrom, type View } from './views.ts';

/** Rows that are in memory at a time, and that readers find together. */
const ROW_GROUP = 20_000;
/** An INT64 holds no more digits. */
const MOST_DIGITS = 18;

/** How values of a type of Postgres stand in Parquet. */
interface Form {
  readonly element: Omit<SchemaElement, 'name'>;
  /** What to read of a column; its value itself unless given. */
  readonly read?: (name: string) => string;
  /** Whole numbers of 64 bits come as text, so that no digit is lost on the way. */
  readonly isLong?: true;
}

// Parquet has no moment before or after all others, and no decimal that is no number: such a value is none.
const finite = (name: string, value: string): string => `CASE WHEN isfinite(${name}) THEN ${value} END`;
const microseconds = (name: string): string =>
  finite(name, `(extract(epoch FROM ${name}) * 1000000)::bigint::text`);

const TEXT: Form = {
  element: { type: 'BYTE_ARRAY', converted_type: 'UTF8', logical_type: { type: 'STRING' } },
  read: (name) => `${name}::text`,
};
const LONG: Form = { element: { type: 'INT64' }, read: (name) => `${name}::text`, isLong: true };
const DOUBLE: Form = { element: { type: 'DOUBLE' }, read: (name) => `${name}::double precision` };
const FORMS: Readonly<Record<string, Form>> = {
  bool: { element: { type: 'BOOLEAN' } },
  int2: { element: { type: 'INT32' } },
  int4: { element: { type: 'INT32' } },
  int8: LONG,
  float4: { element: { type: 'FLOAT' } },
  float8: { element: { type: 'DOUBLE' } },
  date: {
    element: { type: 'INT32', converted_type: 'DATE', logical_type: { type: 'DATE' } },
    read: (name) => finite(name, `${name} - DATE '1970-01-01'`),
  },
  timestamp: {
    element: { type: 'INT64', logical_type: { type: 'TIMESTAMP', isAdjustedToUTC: false, unit: 'MICROS' } },
    read: microseconds,
    isLong: true,
  },
  timestamptz: {
    element: {
      type: 'INT64',
      converted_type: 'TIMESTAMP_MICROS',
      logical_type: { type: 'TIMESTAMP', isAdjustedToUTC: true, unit: 'MICROS' },
    },
    read: microseconds,
    isLong: true,
  },
};

/** Types that Parquet has no counterpart of, JSON among them, are text. */
function formOf({ type, precision, scale }: Column): Form {
  if (type !== 'numeric') return FORMS[type] ?? TEXT;
  if (precision === null || scale === null || precision > MOST_DIGITS) return DOUBLE;
  return {
    element: {
      type: 'INT64',
      converted_type: 'DECIMAL',
      logical_type: { type: 'DECIMAL', precision, scale },
      precision,
      scale,
    },
    read: (name) => `(nullif(${name}, 'NaN') * 10::numeric ^ ${scale})::bigint::text`,
    isLong: true,
  };
}

/**
 * Writes a view as Parquet, compressed with Snappy, in groups of rows: never more than one group is in memory.
 *
 * @param file a new file
 * @param metadata what the file says of itself
 * @returns how many rows
 */
export async function writeParquet(
  reader: PoolClient,
  view: View,
  file: string,
  metadata: Readonly<Record<string, string>>,
): Promise<number> {
  const columns = view.columns.map((column) => ({ name: column.name, form: formOf(column) }));
  const writer = new ParquetWriter({
    writer: fileWriter(file),
    schema: [
      { name: view.name, num_children: columns.length },
      ...columns.map(
        ({ name, form }): SchemaElement => ({
          name,
          repetition_type: 'OPTIONAL',
          ...form.element,
        }),
      ),
    ],
    kvMetadata: Object.entries(metadata).map(([key, value]) => ({ key, value })),
    createdBy: 'popshare',
  });
  let count = 0;
  for await (const rows of groupsOf(reader, view)) {
    count += rows.length;
    await writer.write({
      columnData: columns.map(({ name, form }, at) => ({
        name,
        data: rows.map((row) => given(row[at], form)),
      })),
      rowGroupSize: rows.length,
    });
  }
  await writer.finish();
  const handle = await open(file, 'r+');
  await handle.sync();
  await handle.close();
  return count;
}

async function* groupsOf(reader: PoolClient, view: View): AsyncGenerator<unknown[][]> {
  const select = selectFrom(view, (column, name) => formOf(column).read?.(name) ?? name);
  // All rows are wanted, not the first ones soon.
  await reader.query('SET LOCAL cursor_tuple_fraction = 1');
  await reader.query(`DECLARE exported NO SCROLL CURSOR FOR ${select}`);
  for (;;) {
    const { rows } = await reader.query<unknown[]>({
      text: `FETCH ${ROW_GROUP} FROM exported`,
      rowMode: 'array',
    });
    if (rows.length === 0) break;
    yield rows;
  }
  await reader.query('CLOSE exported');
}

function given(value: unknown, { isLong }: Form): unknown {
  return isLong && typeof value === 'string' ? BigInt(value) : value;
}
