import { readdir } from 'node:fs/promises';
import path from 'node:path';
import { z } from 'zod';
import { readYamlFile } from '../../schema/configuration/yaml-file.ts';
import { PopshareError } from '../../schema/errors.ts';
import { MOST_COMPARISONS, MOST_LEVELS } from './pattern.ts';

/** Names that stand in SQL as they are. */
const identifierSchema = z
  .string()
  .regex(/^[a-z][a-z0-9_]{0,40}$/, 'a name of small letters, digits and underscores');

// A semicolon would end the statement that the expression is put into; a comment would swallow its rest.
const sqlSchema = z
  .string()
  .trim()
  .min(1)
  .refine(
    (text) => !/;|--|\/\*/.test(text.replace(/'[^']*'/g, '')),
    'one SQL expression, without ; and comments',
  );

const columnKindSchema = z.enum(['text', 'exact', 'digits', 'date', 'number', 'list']);
/** How a column is normalised; docs/linkage.md says what each kind does. */
export type ColumnKind = z.infer<typeof columnKindSchema>;

const columnSchema = z
  .union([columnKindSchema, z.strictObject({ kind: columnKindSchema, header: z.string().min(1) })])
  .transform((given) => (typeof given === 'string' ? { kind: given, header: null } : given));

const probability = z.number().gt(0).lt(1);

const levelSchema = z.strictObject({
  level: z.string().min(1),
  zh: z.string().min(1).optional(),
  /** Over l and r; the last level has none: it holds when no other does. */
  when: sqlSchema.optional(),
  m: probability.optional(),
  u: probability.optional(),
});

const comparisonSchema = z
  .strictObject({
    name: z.string().min(1),
    zh: z.string().min(1).optional(),
    /** Columns and features: null on either side of one of them is no evidence. */
    of: z.array(identifierSchema).min(1).optional(),
    /** When there is no evidence, over l and r; instead of `of`. */
    missing: sqlSchema.optional(),
    term_frequency: identifierSchema.optional(),
    levels: z.array(levelSchema).min(2).max(MOST_LEVELS),
  })
  .superRefine(({ of, missing, levels }, context) => {
    if ((of === undefined) === (missing === undefined))
      context.addIssue({ code: 'custom', message: 'needs either `of` or `missing`' });
    levels.forEach(({ when }, at) => {
      if ((when === undefined) !== (at === levels.length - 1)) {
        context.addIssue({
          code: 'custom',
          path: ['levels', at],
          message: 'every level but the last needs `when`, and the last has none',
        });
      }
    });
  });

const blockingSchema = z
  .strictObject({
    name: z.string().min(1),
    /** Over r; null in one of them takes the record out of this rule. */
    keys: z.array(sqlSchema).default([]),
    /** An array over r: one key for each of its elements. */
    each: sqlSchema.optional(),
    /** Over r: the order in which the records of an oversized key stand. */
    sort: sqlSchema.optional(),
  })
  .refine(({ keys, each }) => keys.length > 0 || each !== undefined, 'needs `keys` or `each`');

/** The word for "no evidence" in a law. */
export const MISSING = 'missing';

const lawSchema = z.strictObject({
  law: z.string().min(1),
  zh: z.string().min(1).optional(),
  /** By comparison: the levels, or `missing`. The law forbids a pair when all these comparisons stand so. */
  when: z
    .record(z.string(), z.array(z.string()).min(1))
    .refine((when) => Object.keys(when).length > 0, 'needs a comparison'),
});

const thresholdsSchema = z
  .strictObject({ join: z.number(), split: z.number(), report: z.number().optional() })
  .refine(({ join, split }) => split <= join, '`split` is not above `join`')
  .transform(({ join, split, report }) => ({ join, split, report: Math.min(report ?? split, join) }));

const trainingSchema = z.strictObject({
  seed: z.int().nonnegative().default(1),
  random_pairs: z.int().min(1000).max(20_000_000).default(200_000),
  /** Names of blocking rules; all unless given. */
  blocking: z.array(z.string()).min(1).optional(),
});

/** What the weights were found in, when `model train` found them in the warehouse. */
const trainedSchema = z.strictObject({
  /** Business date of the last night in the data. */
  data_until: z.iso.date(),
  seed: z.int().nonnegative(),
  mentions: z.int().nonnegative(),
  /** Of these, mentions without a valid document number, which the model is for. */
  without_number: z.int().nonnegative(),
  persons: z.int().nonnegative(),
  /** Mentions compared with the other mentions of their own number. */
  known_pairs: z.int().nonnegative(),
  random_pairs: z.int().nonnegative(),
  compared_pairs: z.int().nonnegative(),
  /** How many of the compared pairs match, as the trained weights expect. */
  expected_matches: z.number().nonnegative(),
});

/** Of a model file. */
export const modelSchema = z
  .strictObject({
    model: z.string().min(1),
    version: z.int().positive(),
    mode: z.enum(['dedupe', 'link']).optional(),
    one_to_one: z.boolean().default(true),
    columns: z.record(identifierSchema, columnSchema),
    features: z.record(identifierSchema, sqlSchema).default({}),
    blocking: z.array(blockingSchema).min(1).max(60),
    block_limit: z.int().min(2).default(1000),
    comparisons: z.array(comparisonSchema).min(1).max(MOST_COMPARISONS),
    cannot_link: z.array(lawSchema).default([]),
    training: trainingSchema.prefault({}),
    trained: trainedSchema.optional(),
    thresholds: thresholdsSchema,
    prior: probability.optional(),
  })
  .superRefine((model, context) => {
    const complain = (message: string, ...where: (string | number)[]): void => {
      context.addIssue({ code: 'custom', path: where, message });
    };
    const known = new Set([...Object.keys(model.columns), ...Object.keys(model.features)]);
    const readable = new Set(Object.keys(model.columns));
    for (const [name, expression] of Object.entries(model.features)) {
      if (readable.has(name)) complain(`${name} is a column already`, 'features', name);
      for (const read of namesRead(expression))
        if (!readable.has(read))
          complain(`r.${read} is no column, and no feature before it`, 'features', name);
      readable.add(name);
    }
    model.comparisons.forEach((comparison, at) => {
      for (const name of [...(comparison.of ?? []), comparison.term_frequency ?? []].flat())
        if (!known.has(name)) complain(`${name} is no column or feature`, 'comparisons', at);
      const weighted = comparison.levels.filter(({ m, u }) => m !== undefined && u !== undefined).length;
      const started = comparison.levels.some(({ m, u }) => m !== undefined || u !== undefined);
      if (started && weighted < comparison.levels.length)
        complain('either all levels have m and u, or none', 'comparisons', at);
    });
    repeated(model.comparisons.map(({ name }) => name)).forEach((name) => {
      complain(`two comparisons are called ${name}`, 'comparisons');
    });
    repeated(model.blocking.map(({ name }) => name)).forEach((name) => {
      complain(`two rules are called ${name}`, 'blocking');
    });
    model.cannot_link.forEach(({ when }, at) => {
      for (const [name, levels] of Object.entries(when)) {
        const comparison = model.comparisons.find((one) => one.name === name);
        if (comparison === undefined) complain(`no comparison is called ${name}`, 'cannot_link', at);
        const known = [MISSING, ...(comparison?.levels ?? []).map(({ level }) => level)];
        for (const level of levels)
          if (!known.includes(level)) complain(`${name} has no level ${level}`, 'cannot_link', at);
      }
    });
    for (const name of model.training.blocking ?? [])
      if (!model.blocking.some((rule) => rule.name === name))
        complain(`no rule is called ${name}`, 'training', 'blocking');
  });

function repeated(names: readonly string[]): string[] {
  return names.filter((name, at) => names.indexOf(name) !== at);
}

/** A linkage model as its file says it, with or without weights. docs/linkage.md is its reference. */
export type Model = z.output<typeof modelSchema>;
export type Comparison = Model['comparisons'][number];
export type BlockingRule = Model['blocking'][number];
export type Law = Model['cannot_link'][number];

/**
 * Reads a model file: `<model>.yaml`, which is in force, or `<model>.v<version>.yaml`, which waits beside it.
 *
 * @param nameOrPath a name in `<configFolder>/linkage`, or the path of a YAML file
 * @throws CONFIG_NOT_FOUND, CONFIG_INVALID (file, line, what was expected)
 */
export async function loadModel(nameOrPath: string, configFolder: string): Promise<Model> {
  const file = modelPath(nameOrPath, configFolder);
  const model = await readYamlFile(file, modelSchema);
  const name = path.basename(file, path.extname(file));
  if (name !== model.model && name !== `${model.model}.v${model.version}`) {
    throw new PopshareError(
      'CONFIG_INVALID',
      `${file}:1: model: ${model.model}, version ${model.version}, is not the file's name`,
    );
  }
  return model;
}

/**
 * The version after all that there are: that of the model in `file`, and those that wait beside it.
 *
 * @returns the number, and the file for it: `<model>.v<version>.yaml` in the same folder
 */
export async function nextVersion(
  file: string,
  { model, version }: Pick<Model, 'model' | 'version'>,
): Promise<{ version: number; file: string }> {
  const folder = path.dirname(file);
  const waiting = (await readdir(folder)).flatMap((name) => {
    const [base, number] = name.split(/\.v(?=\d+\.ya?ml$)/);
    return base === model && number !== undefined ? [Number.parseInt(number, 10)] : [];
  });
  const next = Math.max(version, ...waiting) + 1;
  return { version: next, file: path.join(folder, `${model}.v${next}.yaml`) };
}

/** Where a model's file is: what looks like a path is one, anything else is a name in `<configFolder>/linkage`. */
export function modelPath(nameOrPath: string, configFolder: string): string {
  return /[/\\]|\.ya?ml$/.test(nameOrPath)
    ? nameOrPath
    : path.join(configFolder, 'linkage', `${nameOrPath}.yaml`);
}

/**
 * The columns that an SQL expression depends on: those it names after `l.` or `r.`, and what the features among them
 * depend on.
 */
export function columnsRead(model: Pick<Model, 'features'>, expression: string): Set<string> {
  const columns = new Set<string>();
  for (const name of namesRead(expression)) {
    const feature = model.features[name];
    if (feature === undefined) columns.add(name);
    else for (const column of columnsRead(model, feature)) columns.add(column);
  }
  return columns;
}

/** The columns and features that an expression names. */
function namesRead(expression: string): string[] {
  return [...expression.matchAll(/\b[lr]\.([a-z][a-z0-9_]*)/g)].map(([, name = '']) => name);
}
