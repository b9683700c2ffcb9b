import { readFile, rename, writeFile } from 'node:fs/promises';
import { parseDocument } from 'yaml';
import type { TrainedModel } from './weights.ts';

/**
 * Writes a model file with the weights of a trained model, and with what they were found in where that is known.
 * Comments and order stay; the prior is left out, so that each use estimates that of its own records, unless the file
 * had one.
 *
 * @param file where the model was read from
 * @param next the file to write and its version; unless given the same file, with the version raised by one
 */
export async function writeWeights(
  file: string,
  model: TrainedModel,
  next: { readonly file: string; readonly version: number } = { file, version: model.version + 1 },
): Promise<void> {
  const document = parseDocument(await readFile(file, 'utf8'));
  document.set('version', next.version);
  if (model.trained !== undefined) document.set('trained', model.trained);
  if (document.has('prior')) document.set('prior', rounded(model.prior));
  model.comparisons.forEach(({ levels }, at) => {
    levels.forEach(({ m, u }, level) => {
      document.setIn(['comparisons', at, 'levels', level, 'm'], rounded(m));
      document.setIn(['comparisons', at, 'levels', level, 'u'], rounded(u));
    });
  });
  const beside = `${next.file}.new`;
  await writeFile(beside, document.toString({ lineWidth: 0 }));
  await rename(beside, next.file);
}

/** Six significant digits: more than the estimate is good for. */
function rounded(probability: number): number {
  return Number(probability.toPrecision(6));
}
