import { z } from 'zod';
import { invalid, loadSqlFiles, parseSqlFile } from '../../schema/configuration/sql-file.ts';
import { CONTRACTS } from '../../schema/contracts/index.ts';

/** The feeds without which nobody can say who lives here. */
export const RESIDENT_FEEDS: readonly string[] = [
  'household_register',
  'residence_registration',
  'social_insurance',
  'housing_lease',
  'school_enrolment',
];

const code = z.string().regex(/^[A-Z]\d{2}$/, 'expected a code such as P01');
const column = z.string().regex(/^[a-z][a-z_0-9]*$/, 'expected a column of the SELECT');
const feed = z
  .string()
  .refine(
    (name) => name === 'residents' || CONTRACTS.some((contract) => contract.feed === name),
    'expected a feed, or `residents` for those that tell who lives here',
  );

const headerSchema = z.strictObject({
  indicator: code,
  title: z.strictObject({ zh: z.string().min(1), en: z.string().min(1) }),
  formula: z.string().min(1),
  unit: z.string().min(1),
  period: z.enum(['day', 'twelve months']),
  /** Nothing is published unless each of these has been applied once. */
  feeds: z.array(feed),
  /** Whether it compares with a year before: nothing is published until the picture of the population is so old. */
  compares: z.boolean().default(false),
  /**
   * What small numbers of persons are in it: `count` of persons; `share` of some persons among others; `ratio` of two
   * numbers that are counted apart; `mean` over so many persons as the denominator; `records` speaks of no persons.
   */
  form: z.enum(['count', 'share', 'ratio', 'mean', 'records']),
  /** The columns of the SELECT that count the persons in it, where the form does not tell. */
  parts: z.array(column).optional(),
  /** Another indicator, with which this one is shown or not shown: from one the other could be told. */
  block: code.optional(),
  /** Where one of these is not shown, neither is this. */
  within: z.array(code).default([]),
  /** What `series` tells apart. */
  series: z.string().optional(),
  /** The column by whose values series are shown or not shown. */
  block_by: column.optional(),
  parameters: z.record(z.string().regex(/^[a-z_]+$/), z.union([z.number(), z.string()])).default({}),
  /** The standard or the paper that the definition follows. */
  source: z.string().optional(),
  note: z.string().optional(),
});

/** The day for which figures are made, the twelve months that end with it, and the county. */
export interface IndicatorDay {
  /** YYYY-MM-DD */
  readonly asOf: string;
  /** YYYY-MM-DD: a year before; events after it count. */
  readonly from: string;
  /** 12 digits. */
  readonly county: string;
  /** Whether there was a picture of the population at the beginning of the twelve months. */
  readonly knowsBefore: boolean;
}

/** One indicator: the header of its file, and its SELECT with numbered parameters. */
export interface Indicator extends z.output<typeof headerSchema> {
  readonly file: string;
  /** `residents` is resolved. */
  readonly feeds: string[];
  readonly select: string;
  /** The values that $1, $2 … stand for. */
  readonly bind: (day: IndicatorDay) => readonly (string | number)[];
}

/**
 * Reads all indicators of a folder, in the order of their codes.
 *
 * @throws CONFIG_NOT_FOUND; CONFIG_INVALID naming file, line and what was expected
 */
export async function loadIndicators(folder: string): Promise<Indicator[]> {
  const indicators = await loadSqlFiles(folder, parseIndicator, ({ indicator }) => indicator);
  for (const { file, indicator, block, within } of indicators) {
    for (const other of [...(block === undefined ? [] : [block]), ...within]) {
      const found = indicators.find((candidate) => candidate.indicator === other);
      if (found === undefined) throw invalid(file, 2, `there is no indicator ${other}`);
      if (found.block_by !== undefined || (other === block && found.block !== undefined))
        throw invalid(file, 2, `${indicator} cannot follow ${other}, which follows another itself`);
    }
  }
  for (const [block, outer] of outerBlocks(indicators)) {
    if (reaches(outerBlocks(indicators), outer, block)) {
      const file = indicators.find(({ indicator }) => indicator === block)?.file ?? folder;
      throw invalid(file, 2, `${block} is within itself, by way of ${[...outer].join(', ')}`);
    }
  }
  return indicators;
}

/** The leader of each block, with the leaders of the blocks within which it is shown. */
export function outerBlocks(indicators: readonly Indicator[]): Map<string, ReadonlySet<string>> {
  const leaderOf = (wanted: string): string =>
    indicators.find(({ indicator }) => indicator === wanted)?.block ?? wanted;
  const outer = new Map<string, Set<string>>();
  for (const { indicator, within } of indicators) {
    const leader = leaderOf(indicator);
    const known = outer.get(leader) ?? new Set();
    for (const other of within.map(leaderOf)) if (other !== leader) known.add(other);
    outer.set(leader, known);
  }
  return outer;
}

function reaches(
  outer: ReadonlyMap<string, ReadonlySet<string>>,
  from: ReadonlySet<string>,
  wanted: string,
): boolean {
  const seen = new Set(from);
  for (const block of seen) for (const next of outer.get(block) ?? []) seen.add(next);
  return seen.has(wanted);
}

/**
 * Reads one indicator from the text of its file.
 *
 * @throws CONFIG_INVALID naming file, line and what was expected
 */
export function parseIndicator(source: string, file: string): Indicator {
  const { fields, select, names } = parseSqlFile(
    source,
    file,
    headerSchema,
    ({ parameters }) => ['as_of', 'from', 'county', ...Object.keys(parameters)],
    ({ indicator }) => indicator,
  );
  const feeds = fields.feeds.flatMap((name) => (name === 'residents' ? RESIDENT_FEEDS : [name]));
  return {
    ...fields,
    feeds: [...new Set(feeds)],
    file,
    select,
    bind: ({ asOf, from, county }) => {
      const values = { ...fields.parameters, as_of: asOf, from, county };
      return names.map((name) => Object.entries(values).find(([key]) => key === name)?.[1] ?? '');
    },
  };
}
