import { writeFile } from 'node:fs/promises';
import type { Command } from 'commander';
import { linkFiles, trainFiles } from '../identity/link/link.ts';
import { writeClusters, writePairs } from '../identity/link/write-output.ts';
import { loadModel, type Model, modelPath } from '../identity/model/model-file.ts';
import { writeWeights } from '../identity/model/model-write.ts';
import { readEnvironment } from '../schema/configuration/environment.ts';
import { PopshareError } from '../schema/errors.ts';
import { say, table, tell } from './output.ts';
import { withSession } from './session.ts';

const MODEL_OPTION = '--model <model>';
const MODEL_MEANING = 'a name in config/linkage, or the path of a model file';

/** `link`, and `model train|show`. */
export function addLinkCommands(program: Command): void {
  program
    .command('link')
    .description('which rows of CSV files speak of the same subject, by a model 比对任意文件')
    .requiredOption(MODEL_OPTION, MODEL_MEANING)
    .requiredOption('--input <file>', 'a CSV file; once for each file', collect, [])
    .requiredOption('--output <file>', 'CSV: input,row,cluster_id')
    .option('--pairs <file>', 'CSV: left_input,left_row,right_input,right_row,weight,probability')
    .action(async (options: { model: string; input: string[]; output: string; pairs?: string }) => {
      const model = await readModel(options.model);
      requireInputs(options.input);
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

  const models = program.command('model').description('identity models 比对模型');
  models
    .command('train')
    .description('estimate the weights of a model from CSV files, without labelled pairs 训练')
    .requiredOption(MODEL_OPTION, MODEL_MEANING)
    .requiredOption('--input <file>', 'a CSV file; once for each file', collect, [])
    .option('--write', 'put the weights into the model file, as its next version')
    .action(async (options: { model: string; input: string[]; write?: boolean }) => {
      const model = await readModel(options.model);
      requireInputs(options.input);
      const trained = await withSession(
        ({ warehouse }) => trainFiles({ warehouse, model, files: options.input, notice: tell }),
        { migrated: false },
      );
      show(trained);
      if (options.write !== true) return;
      const file = modelPath(options.model, readEnvironment(process.env).configFolder);
      await writeWeights(file, trained);
      say(`${file}: version ${trained.version + 1}`);
    });
  models
    .command('show')
    .description('the comparisons of a model, with their weights 查看模型')
    .argument('<model>', MODEL_MEANING)
    .action(async (name: string) => show(await readModel(name)));
}

function readModel(name: string): Promise<Model> {
  return loadModel(name, readEnvironment(process.env).configFolder);
}

function collect(file: string, before: readonly string[]): string[] {
  return [...before, file];
}

/** @throws USAGE for no file, or one given twice: the output names rows by their file, and would name two alike */
function requireInputs(files: readonly string[]): void {
  if (files.length === 0) throw new PopshareError('USAGE', 'at least one --input is needed');
  const repeated = files.find((file, at) => files.indexOf(file) !== at);
  if (repeated !== undefined) throw new PopshareError('USAGE', `--input ${repeated} is given twice`);
}

/** Before the work rather than after it. @throws USAGE when the file cannot be written */
async function requireWritable(file: string): Promise<void> {
  await writeFile(file, '').catch((cause: unknown) => {
    throw new PopshareError('USAGE', `${file} cannot be written`, { cause });
  });
}

function show(model: Pick<Model, 'model' | 'version' | 'prior' | 'thresholds'> & Comparisons): void {
  const { join, split } = model.thresholds;
  say(`${model.model}, version ${model.version}; join at ${join} bits, split below ${split}`);
  if (model.prior !== undefined) say(`prior: 1 pair in ${Math.round(1 / model.prior)}`);
  const number = (value: number | undefined): string => value?.toPrecision(4) ?? '';
  const rows = model.comparisons.flatMap(({ name, levels }) =>
    levels.map(({ level, m, u }, at) => {
      const bits = m === undefined || u === undefined ? '' : Math.log2(m / u).toFixed(2);
      return [at === 0 ? name : '', level, number(m), number(u), bits];
    }),
  );
  say(table([['comparison', 'level', 'm', 'u', 'bits'], ...rows]));
}

interface Comparisons {
  readonly comparisons: readonly Pick<Model['comparisons'][number], 'name' | 'levels'>[];
}
