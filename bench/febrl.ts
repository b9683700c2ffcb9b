// Links the FEBRL test sets by config/linkage/febrl.yaml, and measures precision, recall and F1 against the truth, which
// is the number in rec_id; the model does not read that column.
//
//   node bench/febrl.ts FOLDER     where febrl_dataset3.csv, febrl_dataset4a.csv, febrl_dataset4b.csv are

import { mkdtemp, readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { type LinkResult, linkFiles } from '../src/identity/link/link.ts';
import { loadModel } from '../src/identity/model/model-file.ts';
import { openWarehouse } from '../src/schema/warehouse/connect.ts';
import { startEmbedded } from '../src/schema/warehouse/embedded.ts';
import { removeServer } from './server.ts';
import { printTable, seconds } from './table.ts';

const [truthFolder, modelName = 'febrl'] = process.argv.slice(2);
if (truthFolder === undefined) throw new Error('node bench/febrl.ts FOLDER');

const folder = await mkdtemp(path.join(tmpdir(), 'popshare-bench-'));
const server = await startEmbedded({ folder: path.join(folder, 'postgres') });
try {
  const warehouse = await openWarehouse(server.url);
  const model = await loadModel(modelName, 'config');
  const rows: string[][] = [];
  for (const [name, files] of [
    ['FEBRL 3, duplicates within', ['febrl_dataset3.csv']],
    ['FEBRL 4, 4a against 4b', ['febrl_dataset4a.csv', 'febrl_dataset4b.csv']],
  ] as const) {
    const inputs = files.map((file) => path.join(truthFolder, file));
    const started = performance.now();
    const result = await linkFiles({
      warehouse,
      model,
      files: inputs,
      notice: (message) => process.stderr.write(`${name}: ${message}\n`),
    });
    const took = performance.now() - started;
    const subjects = (await Promise.all(inputs.map(subjectsOf))).flat();
    const clusters = judgeClusters(result, subjects);
    const pairs = judgePairs(result, subjects);
    rows.push([
      name,
      ...[clusters.precision, clusters.recall, clusters.f1, pairs.f1].map((share) => share.toFixed(5)),
      pairs.threshold.toFixed(1),
      seconds(took),
    ]);
  }
  printTable(
    ['set', 'precision', 'recall', 'F1 of the clusters', 'best F1 of the pairs', 'at bits', 'seconds'],
    rows,
  );
  printTable(['peak memory of Node'], [[`${Math.round(process.resourceUsage().maxRSS / 1024)} MB`]]);
  await warehouse.close();
} finally {
  await removeServer(server, folder);
}

/** The subject of each data row: the number in `rec-123-dup-0`. */
async function subjectsOf(file: string): Promise<string[]> {
  const [, ...lines] = (await readFile(file, 'utf8')).split('\n');
  return lines.filter((line) => line !== '').map((line) => /^rec-(\d+)-/.exec(line)?.[1] ?? '');
}

interface Judgement {
  precision: number;
  recall: number;
  f1: number;
}

/** Pairs of records in one cluster against pairs of records of one subject. */
function judgeClusters({ clusterOf }: LinkResult, subjects: readonly string[]): Judgement {
  const clusters = subjects.map((_, at) => String(clusterOf[at + 1]));
  const both = subjects.map((subject, at) => `${subject} ${clusters[at]}`);
  return judge(pairsWithin(both), pairsWithin(clusters), pairsWithin(subjects));
}

/** The threshold over the pairs' weights at which F1 is best. */
function judgePairs({ pairs }: LinkResult, subjects: readonly string[]): Judgement & { threshold: number } {
  const truth = pairsWithin(subjects);
  let right = 0;
  let best = { ...judge(0, 0, truth), threshold: 0 };
  pairs.weight.forEach((threshold, at) => {
    if (subjects[(pairs.left[at] ?? 0) - 1] === subjects[(pairs.right[at] ?? 0) - 1]) right++;
    const here = judge(right, at + 1, truth);
    if (here.f1 > best.f1) best = { ...here, threshold };
  });
  return best;
}

function judge(right: number, found: number, truth: number): Judgement {
  const precision = found === 0 ? 0 : right / found;
  const recall = right / truth;
  return { precision, recall, f1: (2 * right) / (found + truth) };
}

function pairsWithin(groups: readonly string[]): number {
  let pairs = 0;
  const sizes = new Map<string, number>();
  for (const group of groups) {
    const before = sizes.get(group) ?? 0;
    pairs += before;
    sizes.set(group, before + 1);
  }
  return pairs;
}
