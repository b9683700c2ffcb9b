// popshare's identity engine and Splink (Python, DuckDB) on the same mentions of an invented county, one after the
// other, judged by the same statements against the same truth: seconds, memory, pairwise precision, recall and F1.
// node bench/peers/splink.ts [persons=100000] [seed=1] [version of Splink=4.0.17]; docs/peers.md tells the rest.
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { access, mkdtemp, readFile, writeFile } from 'node:fs/promises';
import { availableParallelism, tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { sql } from 'kysely';
import { z } from 'zod';
import { CONTRACTS } from '../../src/schema/contracts/index.ts';
import { openWarehouse, type Warehouse } from '../../src/schema/warehouse/connect.ts';
import { startEmbedded } from '../../src/schema/warehouse/embedded.ts';
import { migrate } from '../../src/schema/warehouse/migrate.ts';
import { removeServer } from '../server.ts';
import { printTable, seconds } from '../table.ts';
import { type FirstNight, firstNight, inventedCounty } from './county.ts';
import { measureMemory, type PeakMemory } from './memory.ts';
import {
  type Accuracy,
  accuracyOf,
  bringPartitions,
  bringTruth,
  byDisagreement,
  byErrorKind,
  countJudged,
  exportMentions,
} from './partition.ts';

/** What splink_model.py tells: milliseconds of each part, and of clustering for each partition it made. */
const reportSchema = z.object({
  versions: z.record(z.string(), z.string()),
  load: z.number(),
  train: z.number(),
  predict: z.number(),
  pairs: z.number(),
  partitions: z.array(z.object({ system: z.string(), cluster: z.number() })),
});
type SplinkReport = z.output<typeof reportSchema>;
type SplinkPartition = SplinkReport['partitions'][number];

/** The partition at the threshold that users of Splink commonly begin with: a match probability of 0.99. */
const CUSTOMARY = 'splink 0.99';

const [persons = '100000', seed = '1', version = '4.0.17'] = process.argv.slice(2);
const python = await environment(version);
const folder = await mkdtemp(path.join(tmpdir(), 'popshare-bench-'));
const server = await startEmbedded({ folder: path.join(folder, 'postgres') });
try {
  const county = await inventedCounty(Number(persons), Number(seed));
  const warehouse = await openWarehouse(server.url);
  await migrate(warehouse, CONTRACTS);
  const processes = [process.pid, await postmaster(warehouse)];
  const own = await firstNight(warehouse, county, { dataFolder: folder, processes });
  await bringTruth(warehouse, county);

  const mentions = path.join(folder, 'mentions.csv');
  const clusters = path.join(folder, 'clusters.tsv');
  await exportMentions(warehouse, mentions);
  const peer = await runSplink(mentions, clusters);
  await bringPartitions(warehouse, clusters);
  await compare(warehouse, own, peer);
  await warehouse.close();
} finally {
  await removeServer(server, folder);
}

/** The Python of a virtual environment with this version of Splink; made when missing. */
async function environment(wanted: string): Promise<string> {
  const home = path.join('bench', '.data', `splink-${wanted}`);
  const interpreter = path.join(home, 'bin', 'python');
  const ready = path.join(home, 'ready');
  const exists = await access(ready).then(
    () => true,
    () => false,
  );
  if (exists) return interpreter;
  const run = promisify(execFile);
  await run('python3', ['-m', 'venv', '--clear', home]);
  await run(interpreter, ['-m', 'pip', 'install', '--quiet', `splink==${wanted}`, 'duckdb==2.0.0']);
  await writeFile(ready, '');
  return interpreter;
}

/** The process that all processes of the server descend from. */
async function postmaster(warehouse: Warehouse): Promise<number> {
  const { rows } = await sql<{
    id: string;
  }>`SELECT split_part(pg_read_file('postmaster.pid'), E'\n', 1) AS id`.execute(warehouse.db);
  return Number(rows[0]?.id);
}

async function runSplink(
  mentions: string,
  clusters: string,
): Promise<SplinkReport & { readonly memory: PeakMemory }> {
  const model = fileURLToPath(new URL('splink_model.py', import.meta.url));
  const report = path.join(folder, 'splink.json');
  const child = spawn(python, [model, mentions, clusters, report, String(availableParallelism())], {
    // What Splink says on its way is not part of the tables.
    stdio: ['ignore', process.stderr, process.stderr],
  });
  const measurement = measureMemory([child.pid ?? 0]);
  const [code] = await once(child, 'exit');
  const memory = measurement.stop();
  if (code !== 0) throw new Error(`splink_model.py ended with ${code}`);
  return { ...reportSchema.parse(JSON.parse(await readFile(report, 'utf8'))), memory };
}

async function compare(
  warehouse: Warehouse,
  own: FirstNight,
  peer: SplinkReport & { readonly memory: PeakMemory },
): Promise<void> {
  const judged: (SplinkPartition & Accuracy)[] = [];
  for (const partition of peer.partitions)
    judged.push({ ...partition, ...(await accuracyOf(warehouse, partition.system)) });
  const best = judged.toSorted((a, b) => b.f1 - a.f1)[0];
  const customary = judged.find(({ system }) => system === CUSTOMARY);
  if (best === undefined || customary === undefined) throw new Error('Splink made no partition');

  const total = (partition: SplinkPartition): number =>
    peer.load + peer.train + peer.predict + partition.cluster;
  const splinkRow = (label: string, partition: SplinkPartition & Accuracy): string[] => [
    label,
    seconds(total(partition)),
    `${(total(partition) / own.identity).toFixed(2)}`,
    megabytes(peer.memory),
    ...accuracyCells(partition),
  ];
  const mentions = await countJudged(warehouse);
  process.stdout.write(
    `${mentions} mentions judged; ${Object.entries(peer.versions)
      .map((pair) => pair.join(' '))
      .join(', ')}; ${peer.pairs} pairs of 0 bits and more\n\n`,
  );
  printTable(
    ['system', 'seconds', 'ratio', 'peak memory', 'precision', 'recall', 'F1', 'clusters mixed'],
    [
      [
        'popshare, durable links, persons and events included',
        seconds(own.identity),
        '1',
        megabytes(own.memory),
        ...accuracyCells(await accuracyOf(warehouse, 'popshare')),
      ],
      splinkRow('Splink, probability 0.99', customary),
      splinkRow(`Splink at its best threshold (${best.system.replace('splink ', '')})`, best),
    ],
  );
  printTable(
    ['Splink: read', 'train', 'predict', 'cluster'],
    [[peer.load, peer.train, peer.predict, best.cluster].map(seconds)],
  );
  printTable(
    ['threshold of Splink', 'precision', 'recall', 'F1', 'clusters mixed'],
    judged.map((partition) => [partition.system.replace('splink ', ''), ...accuracyCells(partition)]),
  );
  await compareKinds(warehouse, best.system);
  await compareDisagreements(warehouse, best.system);
}

async function compareKinds(warehouse: Warehouse, best: string): Promise<void> {
  const peerKinds = new Map((await byErrorKind(warehouse, best)).map((row) => [row.kind, row]));
  const share = (part: number, whole: number): string => `${((100 * part) / whole).toFixed(2)} %`;
  printTable(
    ['kind of error', 'mentions', 'popshare: with their person', 'with somebody else', 'Splink', ''],
    (await byErrorKind(warehouse, 'popshare')).map(({ kind, mentions, found, wrong }) => {
      const peer = peerKinds.get(kind);
      return [
        kind,
        String(mentions),
        share(found, mentions),
        String(wrong),
        share(peer?.found ?? 0, mentions),
        String(peer?.wrong ?? 0),
      ];
    }),
  );
}

async function compareDisagreements(warehouse: Warehouse, best: string): Promise<void> {
  printTable(
    [
      'pairs that one alone put together, by the kinds of their numbers',
      'same person',
      'popshare alone',
      'Splink alone',
    ],
    (await byDisagreement(warehouse, 'popshare', best)).map(({ kinds, same, left, right }) => [
      kinds,
      same ? 'yes' : 'no',
      String(left),
      String(right),
    ]),
  );
}

function accuracyCells({ precision, recall, f1, mixed }: Accuracy): string[] {
  return [precision.toFixed(6), recall.toFixed(6), f1.toFixed(6), String(mixed)];
}

function megabytes(bytes: PeakMemory): string {
  return bytes === null ? '' : `${Math.round(bytes / 1024 / 1024)} MB`;
}
