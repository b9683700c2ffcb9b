import { type Kysely, sql } from 'kysely';
import type { DB } from '../../schema/database.ts';
import type { Queryable } from '../../schema/warehouse/connect.ts';
import { type CaseFilter, caseConditions } from './filter.ts';

/** Open cases of one rule that one delivery brought: one question, however many cases. */
export interface CaseGroup {
  /** `<rule>:<feed>:<cause>`, for the filter of lists and bulk actions. */
  readonly group: string;
  readonly rule: string;
  readonly feed: string;
  /** YYYY-MM-DD: the business date of the delivery. */
  readonly delivered_on: string;
  readonly department: string;
  readonly severity: string;
  /** Open cases. */
  readonly cases: number;
  /** The earliest day on which one of them is due. */
  readonly due_on: string;
}

/**
 * The groups: rule and delivery with more open cases than `above`, the largest first.
 *
 * @param above `queue.group_above`
 */
export async function listGroups({ db }: Queryable, above: number): Promise<CaseGroup[]> {
  const { rows } = await sql<CaseGroup>`
    SELECT ${GROUP}, c.department, c.severity, c.cases, c.due_on
    FROM anomalies.groups_above(${above}) g CROSS JOIN LATERAL (
      SELECT min(department) AS department, min(severity) AS severity, min(due_on) AS due_on, sum(cases)::bigint AS cases
      FROM (
        SELECT department, severity, due_on, sum(cases) AS cases FROM anomalies.tally_due t
        WHERE t.lane = g.lane AND t.cause = g.cause AND t.status IN ('new', 'assigned', 'returned')
        GROUP BY department, severity, due_on HAVING sum(cases) > 0) cell) c
    ORDER BY c.cases DESC, g.lane, g.cause`.execute(db);
  return rows;
}

/**
 * The groups as far as a filter lets their cases through: each with what is open of it there.
 *
 * @param above `queue.group_above`; of the whole group, wherever its cases are
 */
export async function listGroupsWithin(
  { db }: Queryable,
  above: number,
  filter: CaseFilter,
): Promise<CaseGroup[]> {
  const { rows } = await sql<CaseGroup>`
    SELECT ${GROUP}, min(a.department) AS department, min(a.severity) AS severity, count(*) AS cases, min(a.due_on) AS due_on
    FROM anomalies.groups_above(${above}) g JOIN anomalies.anomaly a ON a.lane = g.lane AND a.cause = g.cause
    WHERE ${caseConditions(filter, sql`a`, [])}
    GROUP BY g.lane, g.cause ORDER BY count(*) DESC, g.lane, g.cause`.execute(db);
  return rows;
}

/** What a group is called, and what its name says: the lane, and the delivery by its date and number. */
const GROUP = sql`
  replace(g.lane, ' ', ':') || ':' || g.cause AS "group", split_part(g.lane, ' ', 1) AS rule,
  split_part(g.lane, ' ', 2) AS feed, left(g.cause, 8)::date AS delivered_on`;

/** A group as rows name it. */
export interface CaseGroupKey {
  readonly lane: string;
  readonly cause: string;
}

/** The groups as `outside_groups` leaves them out. */
export async function groupKeys(db: Kysely<DB>, above: number): Promise<CaseGroupKey[]> {
  const { rows } = await sql<CaseGroupKey>`SELECT lane, cause FROM anomalies.groups_above(${above})`.execute(
    db,
  );
  return rows;
}
