import { createReadStream } from 'node:fs';
import { open } from 'node:fs/promises';
import type { PoolClient } from 'pg';
import { decodeRows } from '../../ingest/decode/decode.ts';
import { PopshareError } from '../../schema/errors.ts';
import { copyRows, openCopy } from '../../schema/warehouse/copy.ts';
import type { Model } from '../model/model-file.ts';

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
 * into the table `given` (record, input, and a text column for each column of the model).
 *
 * @throws LINK_INPUT for a file that cannot be read, is empty, lacks columns, has another header than the first, or
 * has a row that is no record; SOURCE_ codes for what is wrong with its bytes
 */
export async function readInputs(
  client: PoolClient,
  model: Model,
  files: readonly string[],
): Promise<Input[]> {
  const columns = Object.keys(model.columns);
  await client.query(
    `CREATE UNLOGGED TABLE given (record integer, input integer, ${columns.map((name) => `${name} text`).join(', ')})`,
  );
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
  const gzip = file.endsWith('.gz');
  const source = createReadStream(file);
  const delimiter = gzip ? ',' : await likelyDelimiter(file);
  const decoded = await decodeRows(source, { format: 'csv', gzip, delimiter });
  await using _closing = decoded;
  const positions = headers.map((name) => decoded.header.indexOf(name));
  const missing = headers.filter((_, at) => positions[at] === -1);
  if (missing.length > 0) {
    const had = decoded.header.join(', ');
    throw new PopshareError(
      'LINK_INPUT',
      `${file} has no column ${missing.join(', ')}, which model ${model.model} reads; its header is: ${had}`,
    );
  }
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
          ...positions.map((position) => fields[position] ?? null),
        ];
      });
      await copy.write(copyRows(values));
    }
  } catch (error) {
    await copy.abort();
    throw error;
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

/** The delimiter that the first line has most of; a comma when it has none. */
async function likelyDelimiter(file: string): Promise<string> {
  const handle = await open(file).catch((cause: unknown) => {
    throw new PopshareError('LINK_INPUT', `${file} cannot be read`, { cause });
  });
  try {
    const { buffer, bytesRead } = await handle.read({ buffer: Buffer.alloc(64 * 1024), position: 0 });
    if (bytesRead === 0) throw new PopshareError('LINK_INPUT', `${file} is empty`);
    // Delimiters are ASCII: as latin1 they are found without knowing the encoding.
    const line = buffer.toString('latin1', 0, bytesRead).split('\n', 1)[0] ?? '';
    const counts = DELIMITERS.map((delimiter) => line.split(delimiter).length);
    return DELIMITERS[counts.indexOf(Math.max(...counts))] ?? ',';
  } finally {
    await handle.close();
  }
}
