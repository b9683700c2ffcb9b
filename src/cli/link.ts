import { writeFile } from 'node:fs/promises';
import type { Command } from 'commander';
import { linkFiles } from '../identity/link/link.ts';
import { writeClusters, writePairs } from '../identity/link/write-output.ts';
import { loadModel, type Model } from '../identity/model/model-file.ts';
import { readEnvironment } from '../schema/configuration/environment.ts';
import { PopshareError } from '../schema/errors.ts';
import { say, tell } from './output.ts';
import { withSession } from './session.ts';

export const MODEL_OPTION = '--model <model>';
export const MODEL_MEANING = 'a name in config/linkage, or the path of a model file';

/** `link`. */
export function addLinkCommand(program: Command): void {
  program
    .command('link')
    .description('which rows of CSV files speak of the same subject, by a model 比对任意文件')
    .requiredOption(MODEL_OPTION, MODEL_MEANING)
    .requiredOption('--input <file>', 'a CSV file; once for each file', collect, [])
    .requiredOption('--output <file>', 'CSV: input,row,cluster_id')
    .option('--pairs <file>', 'CSV: left_input,left_row,right_input,right_row,weight,probability')
    .action(async (options: { model: string; input: string[]; output: string; pairs?: string }) => {
      const model = await readModel(options.model);
      if (options.input.length === 0) throw new PopshareError('USAGE', 'at least one --input is needed');
      requireDistinct(options.input);
      await requireWritable(options.output);
      if (options.pairs !== undefined) await requireWritable(options.pairs);
      const result = await withSession(
        ({ warehouse }) => linkFiles({ warehouse, model, files: options.input, notice: tell }),
        { migrated: false },
      );
      await writeClusters(options.output, result);
      if (options.pairs !== undefined) await writePairs(options.pairs, result);
      const records = result.clusterOf.length - 1;
      const clusters = result.clusterOf.reduce((most, cluster) => Math.max(most, cluster), 0);
      say(`${records} rows, ${clusters} clusters in ${options.output}`);
    });
}

/** The model of a name or path, from the configuration that the environment names. @throws CONFIG_NOT_FOUND, CONFIG_INVALID */
export function readModel(name: string): Promise<Model> {
  return loadModel(name, readEnvironment(process.env).configFolder);
}

/** The values of an option that may be given several times, in order. */
export function collect(file: string, before: readonly string[]): string[] {
  return [...before, file];
}

/** @throws USAGE for a file given twice: the output names rows by their file, and would name two alike */
export function requireDistinct(files: readonly string[]): void {
  const repeated = files.find((file, at) => files.indexOf(file) !== at);
  if (repeated !== undefined) throw new PopshareError('USAGE', `--input ${repeated} is given twice`);
}

/** Before the work rather than after it. @throws USAGE when the file cannot be written */
async function requireWritable(file: string): Promise<void> {
  await writeFile(file, '').catch((cause: unknown) => {
    throw new PopshareError('USAGE', `${file} cannot be written`, { cause });
  });
}
