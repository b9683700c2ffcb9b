import { z } from 'zod';
import { invalid, loadSqlFiles, parseSqlFile } from '../schema/configuration/sql-file.ts';
import { CONTRACTS } from '../schema/contracts/index.ts';

const span = z.union([z.number(), z.string()]).optional();

/** What the nightly picture says of persons, and the dates in it that have an index. */
const PICTURE_DATES = {
  sign: ['until'],
  standing: ['birth_date'],
  death: ['died_on'],
} as const;

/** A date of a feed's records or of the picture, and how long after it a rule looks at its persons again. */
const wakeSchema = z
  .strictObject({
    /** The finding that comes or goes on the day is about one of these persons: nobody else need be looked at. */
    alone: z.boolean().default(false),
    feed: z.string().optional(),
    picture: z.enum(['sign', 'standing', 'death']).optional(),
    field: z.string(),
    days: span,
    months: span,
    years: span,
  })
  .superRefine(({ feed, picture, field }, context) => {
    const refuse = (key: string, message: string): void =>
      context.addIssue({ code: 'custom', path: [key], message });
    if ((feed === undefined) === (picture === undefined)) {
      refuse('feed', 'expected either a feed or a picture');
    } else if (picture !== undefined) {
      const dates: readonly string[] = PICTURE_DATES[picture];
      if (!dates.includes(field)) refuse('field', `expected one of ${dates.join(', ')}, found ${field}`);
    } else {
      const contract = CONTRACTS.find((candidate) => candidate.feed === feed);
      if (contract === undefined) refuse('feed', `expected a feed, found ${feed}`);
      else if (contract.fields[field]?.column !== 'date')
        refuse('field', `expected a date of ${feed}, found ${field}`);
    }
  });

/** A wake with its parameters filled in: numbers of days, months and years. */
export interface Wake {
  /** The feed whose records have the date; null: the picture of that name has it. */
  readonly feed: string | null;
  readonly picture: keyof typeof PICTURE_DATES | null;
  readonly field: string;
  /** Not those either who are compared with somebody whose day has come. */
  readonly alone: boolean;
  readonly days: number;
  readonly months: number;
  readonly years: number;
}

const headerSchema = z.strictObject({
  rule: z.string().regex(/^[A-Z]{2}\d{2}$/, 'expected a code such as DQ01'),
  title: z.strictObject({ zh: z.string().min(1), en: z.string().min(1) }),
  severity: z.enum(['high', 'medium', 'low', 'info']),
  owner: z
    .string()
    .min(1, 'expected a department, `operator`, or `source` for the department that sent the record'),
  /**
   * What the SELECT looks at. `changed mentions` reads the view rule_mention, which on an ordinary night holds only
   * the mentions that changed. `changed persons` reads it too; it then holds all mentions of the persons of whom
   * anything changed since the rule's last night, whose day has come (`wakes`), or who are compared with one of these.
   * `changed relations` looks, beside these, at whoever stands in one record with one of them, or shares or shared a
   * household with one that changed. `everything` reads what it likes, whole, every night.
   */
  evaluates: z.enum(['changed mentions', 'changed persons', 'changed relations', 'everything']),
  /**
   * For `changed persons` and `changed relations`: every date on which a finding may come or go by time alone; an empty list says that none
   * does. Without the list the rule looks at everybody who has a case of it, every night.
   */
  wakes: z.array(wakeSchema).optional(),
  parameters: z.record(z.string().regex(/^[a-z_]+$/), z.union([z.number(), z.string()])).default({}),
  definition: z.string().min(1),
  resolved_by: z.string().min(1),
});

/** One anomaly rule: the header of its file, and its SELECT with numbered parameters. */
export interface Rule extends Omit<z.output<typeof headerSchema>, 'wakes'> {
  /** Null: the file does not say by which dates findings come and go. */
  readonly wakes: readonly Wake[] | null;
  readonly file: string;
  /** Of the whole file: another digest means another rule. */
  readonly digest: string;
  readonly select: string;
  /** The line of the file on which the SELECT begins. */
  readonly line: number;
  /** The values that $1, $2 … stand for; `as_of` is the night's business date. */
  readonly bind: (asOf: string) => readonly (string | number)[];
}

/**
 * Reads all rules of a folder, in the order of their codes.
 *
 * @throws CONFIG_NOT_FOUND; CONFIG_INVALID naming file, line and what was expected
 */
export async function loadRules(folder: string): Promise<Rule[]> {
  return loadSqlFiles(folder, parseRule, ({ rule }) => rule);
}

/**
 * Reads one rule from the text of its file.
 *
 * @throws CONFIG_INVALID naming file, line and what was expected
 */
export function parseRule(source: string, file: string): Rule {
  const { fields, digest, select, line, names } = parseSqlFile(
    source,
    file,
    headerSchema,
    ({ parameters }) => ['as_of', ...Object.keys(parameters)],
    ({ rule }) => rule,
  );

  const wakes = fields.wakes?.map(({ feed = null, picture = null, field, alone, ...spans }): Wake => {
    const length = (unit: keyof typeof spans): number => {
      const given = spans[unit] ?? 0;
      const value = typeof given === 'string' ? fields.parameters[given] : given;
      if (typeof value !== 'number')
        throw invalid(
          file,
          2,
          `wakes: ${unit}: expected a number, or a parameter that is one, found ${given}`,
        );
      return value;
    };
    return {
      feed,
      picture,
      field,
      alone,
      days: length('days'),
      months: length('months'),
      years: length('years'),
    };
  });
  return {
    ...fields,
    wakes: wakes ?? null,
    file,
    digest,
    select,
    line,
    bind: (asOf) => names.map((name) => (name === 'as_of' ? asOf : (fields.parameters[name] ?? ''))),
  };
}
