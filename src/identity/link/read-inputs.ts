import { createReadStream } from 'node:fs';
import type { PoolClient } from 'pg';
import { type DecodedSource, decodeRows } from '../../ingest/decode/decode.ts';
import { PopshareError } from '../../schema/errors.ts';
import { copyRows, openCopy } from '../../schema/warehouse/copy.ts';
import type { Model } from '../model/model-file.ts';
import { COLUMN_TYPES, NORMALISERS } from './normalise.ts';

/** A file that is linked. Its records are numbered on from those of the files before it: record = before + row. */
export interface Input {
  readonly file: string;
  readonly rows: number;
  /** How many records the inputs before it have. */
  readonly before: number;
}

const DELIMITERS = [',', '\t', ';', '|'];

/**
 * Reads CSV files (also .gz; UTF-8 or GB 18030; comma, tab, semicolon or bar, whichever the header is written with)
 * into the table `given`: record, input, and the columns of the model, normalised.
 *
 * @throws LINK_INPUT for a file that is empty, lacks columns, has another header than the first, or has a row that is
 * no record; SOURCE_ codes for what is wrong with its bytes, or when it cannot be read
 */
export async function readInputs(
  client: PoolClient,
  model: Model,
  files: readonly string[],
): Promise<Input[]> {
  const columns = Object.entries(model.columns).map(([name, { kind }]) => `, ${name} ${COLUMN_TYPES[kind]}`);
  await client.query(`CREATE UNLOGGED TABLE given (record integer, input integer ${columns.join('')})`);
  const inputs: Input[] = [];
  let firstHeader: readonly string[] | undefined;
  let before = 0;
  for (const file of files) {
    const { header, rows } = await readInput(client, model, { file, input: inputs.length + 1, before });
    firstHeader ??= header;
    refuseOtherHeader(file, header, files[0] ?? file, firstHeader);
    inputs.push({ file, rows, before });
    before += rows;
  }
  return inputs;
}

async function readInput(
  client: PoolClient,
  model: Model,
  place: { file: string; input: number; before: number },
): Promise<{ header: readonly string[]; rows: number }> {
  const { file } = place;
  const headers = Object.entries(model.columns).map(([name, { header }]) => header ?? name);
  const decoded = await openInput(file, headers);
  await using _closing = decoded;
  const missing = headers.filter((name) => !decoded.header.includes(name));
  if (missing.length > 0) {
    const had = decoded.header.join(', ');
    throw new PopshareError(
      'LINK_INPUT',
      `${file} has no column ${missing.join(', ')}, which model ${model.model} reads; its header is: ${had}`,
    );
  }
  const columns = Object.values(model.columns).map(({ kind }, at) => ({
    position: decoded.header.indexOf(headers[at] ?? ''),
    normalise: NORMALISERS[kind],
  }));
  const copy = openCopy(client, 'COPY given FROM STDIN');
  let rows = 0;
  try {
    for await (const batch of decoded.rows) {
      const values = batch.map(({ line, fields, problem }) => {
        if (problem !== null)
          throw new PopshareError('LINK_INPUT', `${file}: data row ${line - 1}: ${problem.message}`);
        rows++;
        return [
          String(place.before + rows),
          String(place.input),
          ...columns.map(({ position, normalise }) => normalise(fields[position] ?? '')),
        ];
      });
      await copy.write(copyRows(values));
    }
  } catch (error) {
    await copy.abort();
    throw ofFile(file, error);
  }
  await copy.finish();
  if (rows === 0) throw new PopshareError('LINK_INPUT', `${file} has a header and no rows`);
  return { header: decoded.header, rows };
}

function refuseOtherHeader(
  file: string,
  header: readonly string[],
  first: string,
  firstHeader: readonly string[],
): void {
  const lacking = firstHeader.filter((name) => !header.includes(name));
  const added = header.filter((name) => !firstHeader.includes(name));
  if (lacking.length === 0 && added.length === 0) return;
  const differences = [
    ...lacking.map((name) => `it lacks ${name}`),
    ...added.map((name) => `only it has ${name}`),
  ];
  throw new PopshareError(
    'LINK_INPUT',
    `${file} has another header than ${first}: ${differences.join(', ')}`,
  );
}

/** Opens a file with the first delimiter that finds every column, or else the one that finds most. */
async function openInput(file: string, wanted: readonly string[]): Promise<DecodedSource> {
  const open = (delimiter: string): Promise<DecodedSource> =>
    decodeRows(createReadStream(file), { format: 'csv', gzip: file.endsWith('.gz'), delimiter }).catch(
      (cause: unknown) => {
        throw ofFile(file, cause);
      },
    );
  let best = { delimiter: ',', found: -1 };
  for (const delimiter of DELIMITERS) {
    const source = await open(delimiter);
    const found = wanted.filter((name) => source.header.includes(name)).length;
    if (found === wanted.length) return source;
    await source[Symbol.asyncDispose]();
    if (found > best.found) best = { delimiter, found };
  }
  return open(best.delimiter);
}

/** What is wrong with a source, with the file's name before it. */
function ofFile(file: string, cause: unknown): unknown {
  if (!(cause instanceof PopshareError) || cause.code === 'LINK_INPUT') return cause;
  if (cause.code === 'SOURCE_EMPTY') return new PopshareError('LINK_INPUT', `${file} is empty`, { cause });
  return new PopshareError(cause.code, `${file}: ${cause.message}`, { cause });
}
