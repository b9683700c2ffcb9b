import type { Command } from 'commander';
import { trainFiles } from '../identity/link/link.ts';
import { compareModels, type ModelComparison } from '../identity/model/compare-models.ts';
import { type Model, modelPath, nextVersion } from '../identity/model/model-file.ts';
import { writeWeights } from '../identity/model/model-write.ts';
import { trainOnWarehouse } from '../identity/model/warehouse-training.ts';
import { withWeights } from '../identity/model/weights.ts';
import { readEnvironment } from '../schema/configuration/environment.ts';
import { collect, MODEL_MEANING, MODEL_OPTION, readModel, requireDistinct } from './link.ts';
import { numberArgument, say, sayJson, table, tell } from './output.ts';
import { withSession } from './session.ts';

/** `model train|show|compare`. */
export function addModelCommands(program: Command): void {
  const models = program.command('model').description('identity models 比对模型');
  models
    .command('train')
    .description('estimate the weights of a model, without labelled pairs 训练')
    .requiredOption(MODEL_OPTION, MODEL_MEANING)
    .option(
      '--input <file>',
      'a CSV file, once for each file; without any, the mentions of the warehouse',
      collect,
      [],
    )
    .option(
      '--write',
      'put the weights into the model file itself, which puts them in force. Without it, those of CSV files are ' +
        'only shown, those of the warehouse go to a file beside it (persons.v2.yaml)',
    )
    .action(async (options: { model: string; input: string[]; write?: boolean }) => {
      const write = options.write === true;
      await (options.input.length === 0
        ? trainHere(options.model, write)
        : trainFromFiles(options.model, options.input, write));
    });
  models
    .command('show')
    .description('the comparisons of a model, with their weights 查看模型')
    .argument('<model>', MODEL_MEANING)
    .action(async (name: string) => show(await readModel(name)));
  models
    .command('compare')
    .description('which links, persons and reviews another version would change; writes nothing 试算')
    .requiredOption(MODEL_OPTION, `the model in force: ${MODEL_MEANING}`)
    .requiredOption('--with <model>', 'the version to try: a name in config/linkage, or a path')
    .option('--examples <number>', 'how many links and reviews to name', numberArgument, 20)
    .option('--json', 'one JSON object on stdout')
    .action(async (options: { model: string; with: string; examples: number; json?: boolean }) => {
      const inForce = await readModel(options.model);
      const candidate = withWeights(await readModel(options.with));
      const comparison = await withSession(({ warehouse }) =>
        compareModels(warehouse, inForce, candidate, options.examples, tell),
      );
      if (options.json) sayJson(comparison);
      else sayComparison(comparison);
    });
}

async function trainHere(name: string, write: boolean): Promise<void> {
  const model = await readModel(name);
  const trained = await withSession(({ warehouse }) => trainOnWarehouse(warehouse, model, tell));
  show(trained);
  const source = fileOf(name);
  const next = await nextVersion(source, model);
  const file = write ? source : next.file;
  await writeWeights(source, trained, { ...next, file });
  say(`${file}: version ${next.version}`);
}

async function trainFromFiles(name: string, files: readonly string[], write: boolean): Promise<void> {
  const model = await readModel(name);
  requireDistinct(files);
  const trained = await withSession(
    ({ warehouse }) => trainFiles({ warehouse, model, files, notice: tell }),
    {
      migrated: false,
    },
  );
  show(trained);
  if (!write) return;
  const file = fileOf(name);
  await writeWeights(file, trained);
  say(`${file}: version ${trained.version + 1}`);
}

function fileOf(name: string): string {
  return modelPath(name, readEnvironment(process.env).configFolder);
}

function show(
  model: Pick<Model, 'model' | 'version' | 'prior' | 'thresholds' | 'trained'> & Comparisons,
): void {
  const { join, split } = model.thresholds;
  say(`${model.model}, version ${model.version}; join at ${join} bits, split below ${split}`);
  if (model.prior !== undefined) say(`prior: 1 pair in ${Math.round(1 / model.prior)}`);
  for (const [name, value] of Object.entries(model.trained ?? {})) say(`  ${name}: ${value}`);
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

function sayComparison({ links, persons, reviews, examples, ...comparison }: ModelComparison): void {
  const { model, version_in_force, version, weighed } = comparison;
  say(
    `${model}: version ${version} in place of ${version_in_force}, ${weighed} mentions without a number weighed`,
  );
  const events = Object.entries(persons).map(([kind, number]) => `${number} ${kind}`);
  say(`persons: ${events.length === 0 ? 'no change' : events.join(', ')}`);
  say(`reviews: ${reviews.opened} would open, ${reviews.closed} would close`);
  if (reviews.by.length > 0) {
    const rows = reviews.by.map((row) => [row.change, row.kind, row.weight, String(row.reviews)]);
    say(table([['  change', 'kind', 'bits', 'reviews'], ...rows.map(indented)]));
  }
  say(`links: ${links.changed} would change`);
  if (links.by.length > 0) {
    const rows = links.by.map(({ before, after, weight, to_another_person, mentions }) => [
      ...[before, after, weight, to_another_person ? 'another' : 'the same', String(mentions)],
    ]);
    say(table([['  before', 'after', 'bits', 'person', 'mentions'], ...rows.map(indented)]));
  }
  for (const { before, after, ...record } of examples.links)
    say(`  ${nameOf(record)}: ${stateOf(before)} → ${stateOf(after)}`);
  for (const { change, kind, left, right } of examples.reviews)
    say(`  ${kind} review ${change}: ${nameOf(left)} and ${nameOf(right)}`);
}

function indented([first = '', ...others]: readonly string[]): string[] {
  return [`  ${first}`, ...others];
}

function nameOf({ feed, source_key, role }: ModelComparison['examples']['reviews'][number]['left']): string {
  return `${feed} ${source_key} ${role}`;
}

function stateOf({
  person_id,
  method,
  weight,
}: ModelComparison['examples']['links'][number]['before']): string {
  const person = person_id === null ? 'a new person' : `person ${person_id}`;
  return `${person} by ${method}${weight === null ? '' : `, ${weight.toFixed(2)} bits`}`;
}
