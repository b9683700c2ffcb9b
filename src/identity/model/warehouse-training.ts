import { sql } from 'kysely';
import { PopshareError } from '../../schema/errors.ts';
import type { Warehouse } from '../../schema/warehouse/connect.ts';
import type { Model } from './model-file.ts';
import type { PatternCounts } from './pattern.ts';
import { trainModel } from './training.ts';
import { blockPatterns, gatherTrainees, knownPatterns, randomPatterns } from './warehouse-patterns.ts';
import type { TrainedModel } from './weights.ts';

/**
 * Trains a model of persons on the mentions of the warehouse, whatever weights it has. Reads one snapshot and writes
 * nothing; the same mentions give the same weights, to the last bit.
 *
 * u comes from random pairs, m by expectation-maximisation within the pairs of each blocking rule (see
 * {@link trainModel}), starting from the mentions with a valid number that are taken as if they had none. The
 * comparison of numbers is trained by the rules that do not select by them, and on no pair that a number made.
 *
 * @param notice told of each part of the work as it begins
 * @throws USAGE when the model reads what mentions do not have; MODEL_NO_DATA; MODEL_UNTRAINABLE
 */
export async function trainOnWarehouse(
  warehouse: Warehouse,
  model: Model,
  notice: (message: string) => void,
): Promise<TrainedModel> {
  await requireFeatures(warehouse, model);
  return warehouse.db
    .transaction()
    .setIsolationLevel('repeatable read')
    .execute(async (tx) => {
      await sql`SET LOCAL work_mem = '256MB'`.execute(tx);
      notice('reading the mentions');
      const population = await gatherTrainees(tx, model.training.seed);
      if (population.without_number === 0 || population.persons === 0)
        throw new PopshareError(
          'MODEL_NO_DATA',
          `the warehouse has ${population.without_number} linked mentions without a number and ${population.persons} persons with one`,
        );
      notice('comparing mentions that a number links');
      const known = await knownPatterns(tx, model);
      notice('comparing pairs drawn at random');
      const random = await randomPatterns(tx, model, population);
      notice('comparing pairs that share a block key');
      const { blocks, compared } = await blockPatterns(tx, model);
      notice('estimating');
      const allPairs = population.without_number * population.persons;
      const trained = trainModel(model, { random, blocks, known, compared, allPairs });
      return {
        ...trained,
        trained: {
          data_until: await dataUntil(tx),
          seed: model.training.seed,
          ...population,
          known_pairs: pairsOf(known),
          random_pairs: pairsOf(random),
          compared_pairs: pairsOf(compared),
          expected_matches: Math.round(trained.prior * allPairs),
        },
      };
    });
}

/** @throws USAGE */
async function requireFeatures(warehouse: Warehouse, model: Model): Promise<void> {
  const { rows } = await sql<{ name: string }>`
    SELECT column_name AS name FROM information_schema.columns
    WHERE table_schema = 'identity' AND table_name = 'feature'`.execute(warehouse.db);
  const known = new Set(rows.map(({ name }) => name));
  const unknown = [...Object.keys(model.columns), ...Object.keys(model.features)].filter(
    (name) => !known.has(name),
  );
  if (unknown.length > 0)
    throw new PopshareError(
      'USAGE',
      `model ${model.model} reads ${unknown.join(', ')}, which mentions of the warehouse do not have: name its files with --input`,
    );
}

/** The business date of the last run that brought mentions. */
async function dataUntil(tx: Parameters<typeof gatherTrainees>[0]): Promise<string> {
  const { rows } = await sql<{ date: string }>`
    SELECT max(r.business_date) AS date FROM ops.run r JOIN identity.state s ON r.run_id <= s.reconciled_run`.execute(
    tx,
  );
  return rows[0]?.date ?? '';
}

function pairsOf(counts: PatternCounts): number {
  return counts.values().reduce((sum, pairs) => sum + pairs, 0);
}
