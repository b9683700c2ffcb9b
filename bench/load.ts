// Loads household rows by the night's own ingest, and measures it against a bare COPY of the same rows.

import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createReadStream, createWriteStream } from 'node:fs';
import { appendFile, copyFile, mkdir, mkdtemp, readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { TextDecoderStream } from 'node:stream/web';
import { from as copyFrom } from 'pg-copy-streams';
import { collect, openDeliveries } from '../src/ingest/collect.ts';
import { processDelivery } from '../src/ingest/process.ts';
import { deliveriesOf } from '../src/jobs/deliveries.ts';
import { openRun } from '../src/jobs/run.ts';
import { type Configuration, loadConfiguration } from '../src/schema/configuration/load.ts';
import { CONTRACTS } from '../src/schema/contracts/index.ts';
import { openWarehouse, type Warehouse } from '../src/schema/warehouse/connect.ts';
import { startEmbedded } from '../src/schema/warehouse/embedded.ts';
import { migrate } from '../src/schema/warehouse/migrate.ts';
import { synthesise } from '../src/synth/synthesise.ts';
import { removeServer } from './server.ts';
import { printTable, seconds } from './table.ts';

const FEED = 'household_register';
const [rowsWanted = 1_000_000] = process.argv.slice(2).map(Number);

const folder = await mkdtemp(path.join(tmpdir(), 'popshare-bench-'));
const server = await startEmbedded({ folder: path.join(folder, 'postgres') });
try {
  const warehouse = await openWarehouse(server.url);
  await migrate(warehouse, CONTRACTS);
  const configuration = await loadConfiguration('config');
  const source = await householdFile(rowsWanted);
  const drop = path.join(folder, 'drop');

  await deliver(drop, '20261118', source.file);
  const first = await ingest(warehouse, configuration, drop, '2026-11-18');
  // One blank line more: other bytes, the same rows, so that nothing is skipped.
  await deliver(drop, '20261119', source.file, '\n');
  const again = await ingest(warehouse, configuration, drop, '2026-11-19');
  const peak = process.resourceUsage().maxRSS / 1024;
  const bare = await bareCopy(warehouse, source, configuration);

  printTable(
    ['what', 'seconds', 'ratio to bare COPY'],
    [
      [`bare COPY of ${bare.rows} rows as UTF-8`, seconds(bare.ms), '1'],
      [
        'first load (land, decode, judge, stage, apply, mentions)',
        seconds(first.ms),
        (first.ms / bare.ms).toFixed(2),
      ],
      ['the same snapshot again', seconds(again.ms), (again.ms / bare.ms).toFixed(2)],
    ],
  );
  printTable(['peak memory of Node'], [[`${Math.round(peak)} MB`]]);
  await warehouse.close();
} finally {
  await removeServer(server, folder);
}

/** The household register of an invented county with about so many rows; kept in bench/.data for the next time. */
async function householdFile(rows: number): Promise<{ file: string }> {
  const out = path.join('bench', '.data', `county-${rows}`);
  const file = path.join(out, 'deliveries', 'public-security', `${FEED}_20261118.csv`);
  const exists = await readFile(path.join(out, 'sent.tsv')).catch(() => null);
  if (exists === null) await synthesise({ persons: Math.round(rows * 1.15), nights: 1, seed: 7, out });
  return { file };
}

/** The yardstick: the rows as UTF-8, straight from a file into one unindexed table of the same column types. */
async function bareCopy(
  warehouse: Warehouse,
  source: { file: string },
  configuration: Configuration,
): Promise<{ rows: number; ms: number }> {
  const binding = configuration.bindings.find(({ feed }) => feed === FEED);
  if (binding === undefined) throw new Error(`no binding for ${FEED}`);
  const utf8 = path.join(folder, 'bare.csv');
  await pipeline(
    Readable.toWeb(createReadStream(source.file)).pipeThrough(new TextDecoderStream('gb18030')),
    createWriteStream(utf8),
  );
  const columns = Object.keys(binding.columns).map(
    (name) => `${name} ${binding.contract.fields[name]?.column}`,
  );
  const client = await warehouse.pool.connect();
  await client.query(`CREATE TABLE bare (${columns.join(', ')})`);
  const started = performance.now();
  const copy = client.query(
    copyFrom(`COPY bare FROM STDIN (FORMAT csv, HEADER, DELIMITER '${binding.delimiter}')`),
  );
  createReadStream(utf8, { highWaterMark: 1 << 20 }).pipe(copy);
  await once(copy, 'finish');
  const ms = performance.now() - started;
  const { rows } = await client.query<{ count: number }>('SELECT count(*) FROM bare');
  await client.query('DROP TABLE bare');
  client.release();
  return { rows: rows[0]?.count ?? 0, ms };
}

async function deliver(drop: string, date: string, file: string, more = ''): Promise<void> {
  const target = path.join(drop, 'public-security', `${FEED}_${date}.csv`);
  await mkdir(path.dirname(target), { recursive: true });
  await copyFile(file, target);
  if (more !== '') await appendFile(target, more);
  const control = JSON.parse(await readFile(file.replace('.csv', '.ctl.json'), 'utf8'));
  const digest = createHash('sha256');
  for await (const chunk of createReadStream(target)) digest.update(chunk);
  await writeFile(
    target.replace('.csv', '.ctl.json'),
    JSON.stringify({ ...control, sha256: digest.digest('hex') }),
  );
}

/** What the night does with one feed, and nothing else. */
async function ingest(
  warehouse: Warehouse,
  configuration: Configuration,
  drop: string,
  businessDate: string,
): Promise<{ ms: number }> {
  const binding = configuration.bindings.find(({ feed }) => feed === FEED);
  if (binding === undefined) throw new Error(`no binding for ${FEED}`);
  const run = await openRun(warehouse, businessDate, 'nightly');
  const context = {
    warehouse,
    configuration,
    dataFolder: folder,
    runId: run.runId,
    businessDate,
    onRows: () => {},
  };
  const started = performance.now();
  await collect(context, binding, drop);
  for (const deliveryId of await openDeliveries(context, FEED)) await processDelivery(context, deliveryId);
  const ms = performance.now() - started;
  await run.close('done', {});
  const [delivery] = await deliveriesOf(warehouse, businessDate, [FEED]);
  if (delivery?.status !== 'applied')
    throw new Error(`the delivery is ${delivery?.status}: ${delivery?.reason}`);
  return { ms };
}
