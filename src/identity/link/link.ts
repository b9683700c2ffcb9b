import type { PoolClient } from 'pg';
import type { Warehouse } from '../../schema/warehouse/connect.ts';
import type { Model } from '../model/model-file.ts';
import type { TrainedModel } from '../model/weights.ts';
import { buildPairs, type Mode } from './block.ts';
import { joinPairs, type WeighedPairs } from './cluster.ts';
import { checkComparisons, comparePairs, weighPairs } from './compare.ts';
import { readByCursor } from './cursor.ts';
import { buildFeatures } from './features.ts';
import { type Input, readInputs } from './read-inputs.ts';
import { trainOn, weightsFor } from './train.ts';
import { wholeClusters } from './whole.ts';
import { withWorkspace } from './workspace.ts';

export interface LinkOptions {
  readonly warehouse: Warehouse;
  readonly model: Model;
  /** Paths of CSV files. */
  readonly files: readonly string[];
  /** Told what the reader of the command should know: capped blocks, clusters that were cut. */
  readonly notice: (message: string) => void;
}

export interface LinkResult {
  readonly model: TrainedModel;
  readonly inputs: readonly Input[];
  /** The number of each record's cluster, from 1 in the order of first records; records count from 1. */
  readonly clusterOf: Int32Array;
  /** What --pairs writes, heaviest first: with one-to-one, the assigned pairs; else all compared ones. */
  readonly pairs: WeighedPairs;
}

/**
 * Links the records of CSV files by a model: which of them speak of the same subject. Nothing of the warehouse is read
 * or written; all work is done in a schema of its own that goes at the end.
 *
 * @throws LINK_INPUT, MODEL_EXPRESSION, MODEL_UNTRAINABLE, SOURCE_ codes (with the file named)
 */
export async function linkFiles({ warehouse, model, files, notice }: LinkOptions): Promise<LinkResult> {
  return withWorkspace(warehouse, async (client) => {
    const { inputs, mode } = await compareFiles(client, model, files, notice);
    const trained = await weightsFor(client, model, mode, inputs);
    const { join, report } = trained.thresholds;
    await weighPairs(client, trained, 'compared', 'weighed', report);
    const pairs = await readWeighed(client);
    const records = inputs.reduce((sum, { rows }) => sum + rows, 0);
    const oneToOne = mode === 'link' && trained.one_to_one ? inputsOfRecords(inputs, records) : null;
    const { partition, tooLarge } = joinPairs(records, pairs, join, oneToOne);
    if (tooLarge > 0) notice(`${tooLarge} pairs were not joined, because their cluster would be too large`);
    const { clusterOf, cut } = await wholeClusters(client, trained, mode, records, partition);
    if (cut > 0) notice(`${cut} clusters did not hold as a whole and were cut`);
    const shown =
      oneToOne === null ? pairs : choose(pairs, joinPairs(records, pairs, report, oneToOne).joined);
    return { model: trained, inputs, clusterOf: numbered(clusterOf), pairs: shown };
  });
}

/**
 * Trains a model on the records of CSV files, whatever weights it has.
 *
 * @throws as {@link linkFiles}
 */
export async function trainFiles({ warehouse, model, files, notice }: LinkOptions): Promise<TrainedModel> {
  return withWorkspace(warehouse, async (client) => {
    const { inputs, mode } = await compareFiles(client, model, files, notice);
    return trainOn(client, model, mode, inputs);
  });
}

/** After: `feature`, `compared`. One file is searched for duplicates, several are linked, unless the model says. */
async function compareFiles(
  client: PoolClient,
  model: Model,
  files: readonly string[],
  notice: (message: string) => void,
): Promise<{ inputs: Input[]; mode: Mode }> {
  const inputs = await readInputs(client, model, files);
  const mode = model.mode ?? (inputs.length > 1 ? 'link' : 'dedupe');
  await buildFeatures(client, model);
  await checkComparisons(client, model);
  await buildPairs(client, model, mode, notice);
  await comparePairs(client, model, 'pair', 'compared');
  await client.query('DROP TABLE pair');
  return { inputs, mode };
}

/** The pairs of `weighed`, heaviest first; 16 bytes each. */
async function readWeighed(client: PoolClient): Promise<WeighedPairs> {
  const { rows } = await client.query<{ pairs: number }>('SELECT count(*) AS pairs FROM weighed');
  const count = rows[0]?.pairs ?? 0;
  const pairs = {
    left: new Int32Array(count),
    right: new Int32Array(count),
    weight: new Float64Array(count),
  };
  let at = 0;
  await readByCursor<{ left_record: number; right_record: number; weight: number }>(
    client,
    'SELECT left_record, right_record, weight FROM weighed ORDER BY weight DESC, left_record, right_record',
    (row) => {
      pairs.left[at] = row.left_record;
      pairs.right[at] = row.right_record;
      pairs.weight[at] = row.weight;
      at++;
    },
  );
  return pairs;
}

function choose(pairs: WeighedPairs, places: readonly number[]): WeighedPairs {
  return {
    left: Int32Array.from(places, (at) => pairs.left[at] ?? 0),
    right: Int32Array.from(places, (at) => pairs.right[at] ?? 0),
    weight: Float64Array.from(places, (at) => pairs.weight[at] ?? 0),
  };
}

function inputsOfRecords(inputs: readonly Input[], records: number): Int32Array {
  const inputOf = new Int32Array(records + 1);
  inputs.forEach(({ before, rows }, at) => {
    inputOf.fill(at + 1, before + 1, before + rows + 1);
  });
  return inputOf;
}

/** Clusters by number, in the order of their first records. */
function numbered(firstOf: Int32Array): Int32Array {
  const numbers = new Int32Array(firstOf.length);
  let clusters = 0;
  for (let record = 1; record < firstOf.length; record++) {
    const first = firstOf[record] ?? record;
    if (first === record) numbers[record] = ++clusters;
    else numbers[record] = numbers[first] ?? 0;
  }
  return numbers;
}
