import { type RawBuilder, sql } from 'kysely';
import { z } from 'zod';
import { PopshareError } from '../../schema/errors.ts';
import type { CaseGroupKey } from './groups.ts';
import { CLOSED_STATUSES, OPEN_STATUSES } from './transitions.ts';

const texts = z.array(z.string().min(1)).min(1);
const divisionSchema = z
  .string()
  .regex(/^(\d\d|\d{4}|\d{6}|\d{9}|\d{12})$/, 'expected a division code of 2, 4, 6, 9 or 12 digits');

/** A division and all below it: its code of 12 digits, or the 2, 4, 6 or 9 digits that it begins with. */
export type DivisionScope = z.output<typeof divisionSchema>;

/** Which cases: each criterion narrows. Without `status`, the open ones. */
export const caseFilterSchema = z.strictObject({
  status: z
    .array(z.enum([...OPEN_STATUSES, ...CLOSED_STATUSES]))
    .min(1)
    .optional(),
  rule: texts.optional(),
  family: texts.optional(),
  severity: z
    .array(z.enum(['high', 'medium', 'low']))
    .min(1)
    .optional(),
  department: texts.optional(),
  division: divisionSchema.optional(),
  owner: z.string().min(1).optional(),
  /** YYYY-MM-DD: due earlier than this day. */
  due_before: z.iso.date().optional(),
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
  if (!read.success) throw new PopshareError('CASE_INPUT', z.prettifyError(read.error));
  return read.data;
}

/** The digits that the codes of a division and of all below it begin with. */
export function divisionPrefix(division: DivisionScope): string {
  return division.replace(/^(\d\d)0{10}$|^(\d{4})0{8}$|^(\d{6})0{6}$|^(\d{9})000$/, '$1$2$3$4');
}

/** Whether it asks for a township, a village or an owner: these have indexes of their own, the tallies know counties. */
export function needsIndex(filter: CaseFilter): boolean {
  return filter.owner !== undefined || isBelowCounty(filter);
}

/** The county of a township or village that the filter asks for; otherwise undefined. */
export function countyAbove(filter: CaseFilter): string | undefined {
  return filter.division !== undefined && isBelowCounty(filter) ? filter.division.slice(0, 6) : undefined;
}

function isBelowCounty({ division }: CaseFilter): boolean {
  return division !== undefined && divisionPrefix(division).length > 6;
}

/**
 * What a filter asks of the columns that cases and tallies share.
 *
 * @param row the alias of a case, or of a row of a tally that has what the filter asks for
 * @param groups what `outside_groups` leaves out
 */
export function sharedConditions(
  filter: CaseFilter,
  row: RawBuilder<unknown>,
  groups: readonly CaseGroupKey[],
): RawBuilder<unknown> {
  return sql`${laneConditions(filter, row)} AND ${placeConditions(filter, row, groups)}`;
}

/** What a filter asks of a whole case. */
export function caseConditions(
  filter: CaseFilter,
  row: RawBuilder<unknown>,
  groups: readonly CaseGroupKey[],
): RawBuilder<unknown> {
  const person = filter.person === undefined ? sql`` : sql`AND ${row}.person_id = ${filter.person}`;
  return sql`${sharedConditions(filter, row, groups)} ${person} ${indexConditions(filter, row)}`;
}

/** Rule, family, severity, department and feed: what follows from a lane. */
export function laneConditions(filter: CaseFilter, row: RawBuilder<unknown>): RawBuilder<unknown> {
  const conditions = [sql`${row}.severity <> 'info'`];
  const { rule, family, severity, department, feed } = filter;
  if (rule !== undefined) conditions.push(sql`${row}.rule = ANY (${rule})`);
  if (family !== undefined) conditions.push(sql`left(${row}.rule, 2) = ANY (${family})`);
  if (severity !== undefined) conditions.push(sql`${row}.severity = ANY (${severity})`);
  if (department !== undefined) conditions.push(sql`${row}.department = ANY (${department})`);
  if (feed !== undefined) conditions.push(sql`${row}.feed = ANY (${feed})`);
  return sql.join(conditions, sql` AND `);
}

/** Status, due date, county and group: what indexes of cases hold beside the lane. */
export function placeConditions(
  filter: CaseFilter,
  row: RawBuilder<unknown>,
  groups: readonly CaseGroupKey[],
): RawBuilder<unknown> {
  const conditions = [
    sql`${row}.status = ANY (${filter.status ?? OPEN_STATUSES})`,
    ...causeConditions(filter, row, groups),
  ];
  if (filter.due_before !== undefined) conditions.push(sql`${row}.due_on < ${filter.due_before}::date`);
  if (filter.division !== undefined && !isBelowCounty(filter))
    conditions.push(sql`starts_with(${row}.county, ${divisionPrefix(filter.division)})`);
  return sql.join(conditions, sql` AND `);
}

/** Of one group, or of none. */
function causeConditions(
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

/** Township, village and owner. */
export function indexConditions(filter: CaseFilter, row: RawBuilder<unknown>): RawBuilder<unknown> {
  const owner = filter.owner === undefined ? sql`` : sql`AND ${row}.owner = ${filter.owner}`;
  if (filter.division === undefined || !isBelowCounty(filter)) return owner;
  const prefix = divisionPrefix(filter.division);
  const village = prefix.length === 12 ? sql`AND ${row}.division = ${prefix}` : sql``;
  return sql`${owner} AND ${row}.town = ${prefix.slice(0, 9)} ${village}`;
}
