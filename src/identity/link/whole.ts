import type { PoolClient } from 'pg';
import { copyRows, openCopy } from '../../schema/warehouse/copy.ts';
import type { TrainedModel } from '../model/weights.ts';
import type { Mode } from './block.ts';
import { checkWhole, type Partition } from './cluster.ts';
import { comparePairs, weighPairs } from './compare.ts';
import { readByCursor } from './cursor.ts';

/**
 * Compares all pairs within each cluster of three and more, blocked or not, and cuts the clusters that do not hold as
 * a whole.
 *
 * @returns the first record of each record's cluster, at its number, and how many clusters were cut
 */
export async function wholeClusters(
  client: PoolClient,
  model: TrainedModel,
  mode: Mode,
  records: number,
  partition: Partition,
): Promise<{ clusterOf: Int32Array; cut: number }> {
  const clusterOf = Int32Array.from({ length: records + 1 }, (_, record) => partition.find(record));
  const sizes = new Int32Array(records + 1);
  for (let record = 1; record <= records; record++) {
    const cluster = clusterOf[record] ?? 0;
    sizes[cluster] = (sizes[cluster] ?? 0) + 1;
  }
  await copyMembers(client, clusterOf, sizes);
  await client.query(`
    CREATE UNLOGGED TABLE cluster_pair AS
    SELECT cluster, l.record AS left_record, r.record AS right_record
    FROM member l JOIN member r USING (cluster)
    ${mode === 'link' ? 'JOIN feature lf ON lf.record = l.record JOIN feature rf ON rf.record = r.record' : ''}
    WHERE l.record < r.record ${mode === 'link' ? 'AND lf.input <> rf.input' : ''}`);
  await comparePairs(client, model, 'cluster_pair', 'cluster_compared');
  await weighPairs(client, model, 'cluster_compared', 'cluster_weighed', null);
  let cut = 0;
  let current: ClusterPair[] = [];
  const finish = (): void => {
    if (current.length === 0) return;
    const parts = partsOf(current, model);
    if (parts.length > 1) cut++;
    for (const part of parts) {
      const first = Math.min(...part);
      for (const record of part) clusterOf[record] = first;
    }
    current = [];
  };
  const query = `
    SELECT cluster, left_record AS "left", right_record AS "right", weight FROM cluster_weighed ORDER BY 1, 2, 3`;
  await readByCursor<ClusterPair>(client, query, (pair) => {
    if (current[0] !== undefined && current[0].cluster !== pair.cluster) finish();
    current.push(pair);
  });
  finish();
  return { clusterOf, cut };
}

interface ClusterPair {
  readonly cluster: number;
  readonly left: number;
  readonly right: number;
  readonly weight: number;
}

function partsOf(pairs: readonly ClusterPair[], { thresholds }: TrainedModel): number[][] {
  const members = [...new Set(pairs.flatMap(({ left, right }) => [left, right]))].sort((a, b) => a - b);
  // The cluster was joined pair by pair: when no pair is below `split`, no mean is.
  if (pairs.every(({ weight }) => weight >= thresholds.split)) return [members];
  return checkWhole(members, pairs, thresholds);
}

async function copyMembers(client: PoolClient, clusterOf: Int32Array, sizes: Int32Array): Promise<void> {
  await client.query('CREATE UNLOGGED TABLE member (cluster integer, record integer)');
  const copy = openCopy(client, 'COPY member FROM STDIN');
  let block: string[][] = [];
  for (let record = 1; record < clusterOf.length; record++) {
    const cluster = clusterOf[record] ?? 0;
    if ((sizes[cluster] ?? 0) < 3) continue;
    block.push([String(cluster), String(record)]);
    if (block.length === 10_000) {
      await copy.write(copyRows(block));
      block = [];
    }
  }
  await copy.write(copyRows(block));
  await copy.finish();
  await client.query('ANALYZE member');
}
