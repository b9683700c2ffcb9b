import { readFile, rename, writeFile } from 'node:fs/promises';
import { parseDocument } from 'yaml';
import type { TrainedModel } from './weights.ts';

/**
 * Puts the weights of a trained model into its file, with the version raised by one. Comments and order stay; the
 * prior is left out, so that each use estimates that of its own records, unless the file had one.
 *
 * @param file where the model was read from
 */
export async function writeWeights(file: string, model: TrainedModel): Promise<void> {
  const document = parseDocument(await readFile(file, 'utf8'));
  document.set('version', model.version + 1);
  if (document.has('prior')) document.set('prior', rounded(model.prior));
  model.comparisons.forEach(({ levels }, at) => {
    levels.forEach(({ m, u }, level) => {
      document.setIn(['comparisons', at, 'levels', level, 'm'], rounded(m));
      document.setIn(['comparisons', at, 'levels', level, 'u'], rounded(u));
    });
  });
  const beside = `${file}.new`;
  await writeFile(beside, document.toString({ lineWidth: 0 }));
  await rename(beside, file);
}

/** Six significant digits: more than the estimate is good for. */
function rounded(probability: number): number {
  return Number(probability.toPrecision(6));
}
