import { type RawBuilder, sql } from 'kysely';
import { z } from 'zod';
import { PopshareError } from '../../schema/errors.ts';
import type { CaseGroupKey } from './groups.ts';
import { CLOSED_STATUSES, OPEN_STATUSES } from './transitions.ts';

const severities = ['high', 'medium', 'low'] as const;
const statuses = [...OPEN_STATUSES, ...CLOSED_STATUSES] as const;
const texts = z.array(z.string().min(1)).min(1);
const divisionSchema = z
  .string()
  .regex(/^(\d\d|\d{4}|\d{6}|\d{9}|\d{12})$/, 'expected a division code of 2, 4, 6, 9 or 12 digits');

/** A division and all below it: its code of 12 digits, or the 2, 4, 6 or 9 digits that it begins with. */
export type DivisionScope = z.output<typeof divisionSchema>;

/** Which cases: each criterion narrows. Without `status`, the open ones. */
export const caseFilterSchema = z.strictObject({
  status: z
    .array(z.enum(statuses, `expected ${statuses.join(', ')}`))
    .min(1)
    .optional(),
  rule: texts.optional(),
  family: texts.optional(),
  severity: z
    .array(z.enum(severities, `expected ${severities.join(', ')}`))
    .min(1)
    .optional(),
  department: texts.optional(),
  /** Of this department: it owns the record, or the case was returned to it. What a department's officers may see. */
  desk: z.string().min(1).optional(),
  division: divisionSchema.optional(),
  owner: z.string().min(1).optional(),
  /** YYYY-MM-DD: due earlier than this day. */
  due_before: z.iso.date('expected a date YYYY-MM-DD').optional(),
  person: z.int().min(1).optional(),
  feed: texts.optional(),
  /** `<rule>:<feed>:<cause>`, as groups and cases name it. */
  group: z.string().min(1).optional(),
  /** Leave out what belongs to a group. */
  outside_groups: z.literal(true).optional(),
});

export type CaseFilter = z.output<typeof caseFilterSchema>;

/**
 * Reads a filter as somebody gave it.
 *
 * @throws CASE_INPUT saying what was expected
 */
export function readFilter(given: unknown): CaseFilter {
  const read = caseFilterSchema.safeParse(given);
  if (read.success) return read.data;
  const complaints = read.error.issues.map(
    ({ path, message }) => `${path.map(String)[0] ?? 'filter'}: ${message}`,
  );
  throw new PopshareError('CASE_INPUT', complaints.join('; '));
}

/** The digits that the codes of a division and of all below it begin with. */
export function divisionPrefix(division: DivisionScope): string {
  return division.replace(/^(\d\d)0{10}$|^(\d{4})0{8}$|^(\d{6})0{6}$|^(\d{9})000$/, '$1$2$3$4');
}

/** Whether cases are counted one by one, by an index: those of a person, an officer or a village. */
export function isCountedByIndex({ person, owner, division }: CaseFilter): boolean {
  return person !== undefined || owner !== undefined || levelOf(division) === 'village';
}

/** Where a division stands; what is not below a county is of its level. */
export function levelOf(division: DivisionScope | undefined): 'county' | 'town' | 'village' {
  const digits = division === undefined ? 0 : divisionPrefix(division).length;
  return digits === 12 ? 'village' : digits === 9 ? 'town' : 'county';
}

/** The county of a township or village that the filter asks for; otherwise undefined. */
export function countyAbove({ division }: CaseFilter): string | undefined {
  return division !== undefined && levelOf(division) !== 'county' ? division.slice(0, 6) : undefined;
}

/** Whether it asks for something that follows from the lane and not from its severity or department. */
export function asksForLanes({ rule, family, feed, group }: CaseFilter): boolean {
  return rule !== undefined || family !== undefined || feed !== undefined || group !== undefined;
}

/** What a filter asks of a whole case. */
export function caseConditions(
  filter: CaseFilter,
  row: RawBuilder<unknown>,
  groups: readonly CaseGroupKey[],
): RawBuilder<unknown> {
  return sql`${streamConditions(filter, row, groups)} AND ${laneConditions(filter, row)}`;
}

/** What a filter asks of a case beside its lane. All of it stands in the indexes that pages walk. */
export function streamConditions(
  filter: CaseFilter,
  row: RawBuilder<unknown>,
  groups: readonly CaseGroupKey[],
): RawBuilder<unknown> {
  const conditions = [
    sql`${row}.severity <> 'info'`,
    statusConditions(filter, row),
    placeConditions(filter, row),
    ...(filter.person === undefined ? [] : [sql`${row}.person_id = ${filter.person}`]),
    ...(filter.owner === undefined ? [] : [sql`${row}.owner = ${filter.owner}`]),
    ...dueConditions(filter, row),
    ...causeConditions(filter, row, groups),
  ];
  return sql.join(conditions, sql` AND `);
}

/** Rule, family and feed, and the severity and the department that follow from them. */
export function laneConditions(filter: CaseFilter, row: RawBuilder<unknown>): RawBuilder<unknown> {
  const { rule, family, feed } = filter;
  const conditions = [ownConditions(filter, row)];
  if (rule !== undefined) conditions.push(sql`split_part(${row}.lane, ' ', 1) = ANY (${rule})`);
  if (family !== undefined) conditions.push(sql`left(${row}.lane, 2) = ANY (${family})`);
  if (feed !== undefined) conditions.push(sql`split_part(${row}.lane, ' ', 2) = ANY (${feed})`);
  return sql.join(conditions, sql` AND `);
}

/** Severity and department, which every tally knows. */
export function ownConditions(
  { severity, department }: CaseFilter,
  row: RawBuilder<unknown>,
): RawBuilder<unknown> {
  const conditions = [sql`true`];
  if (severity !== undefined) conditions.push(sql`${row}.severity = ANY (${severity})`);
  if (department !== undefined) conditions.push(sql`${row}.department = ANY (${department})`);
  return sql.join(conditions, sql` AND `);
}

/** Status, and who is to look. */
export function statusConditions(
  { status, desk }: CaseFilter,
  row: RawBuilder<unknown>,
): RawBuilder<unknown> {
  const states = sql`${row}.status = ANY (${status ?? OPEN_STATUSES})`;
  return desk === undefined
    ? states
    : sql`${states} AND (${row}.department = ${desk} OR ${row}.returned_to = ${desk})`;
}

/** A county and what is above it, a township or a village. */
export function placeConditions({ division }: CaseFilter, row: RawBuilder<unknown>): RawBuilder<unknown> {
  if (division === undefined) return sql`true`;
  const prefix = divisionPrefix(division);
  switch (levelOf(division)) {
    case 'county':
      return sql`starts_with(${row}.county, ${prefix})`;
    case 'town':
      return sql`${row}.town = ${prefix}`;
    case 'village':
      return sql`${row}.division = ${prefix}`;
  }
}

export function dueConditions({ due_before }: CaseFilter, row: RawBuilder<unknown>): RawBuilder<unknown>[] {
  return due_before === undefined ? [] : [sql`${row}.due_on < ${due_before}::date`];
}

/** Of one group, or of none. */
export function causeConditions(
  filter: CaseFilter,
  row: RawBuilder<unknown>,
  groups: readonly CaseGroupKey[],
): RawBuilder<unknown>[] {
  const conditions: RawBuilder<unknown>[] = [];
  if (filter.group !== undefined) {
    const [rule = '', feed = '', cause = ''] = filter.group.split(':');
    conditions.push(sql`${row}.lane = ${`${rule} ${feed}`} AND ${row}.cause = ${cause}`);
  }
  if (filter.outside_groups && groups.length > 0) {
    const keys = groups.map(({ lane, cause }) => `${lane}:${cause}`);
    conditions.push(sql`(${row}.cause IS NULL OR ${row}.lane || ':' || ${row}.cause <> ALL (${keys}))`);
  }
  return conditions;
}
