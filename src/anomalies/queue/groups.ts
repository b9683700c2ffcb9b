import { type Kysely, type RawBuilder, sql } from 'kysely';
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
    SELECT replace(g.lane, ' ', ':') || ':' || g.cause AS "group", split_part(g.lane, ' ', 1) AS rule,
           split_part(g.lane, ' ', 2) AS feed, left(g.cause, 8)::date AS delivered_on,
           c.department, c.severity, g.cases, c.due_on
    FROM (${groupsAbove(above)}) g CROSS JOIN LATERAL (
      SELECT min(department) AS department, min(severity) AS severity, min(due_on) AS due_on FROM (
        SELECT department, severity, due_on FROM anomalies.tally_due t
        WHERE t.lane = g.lane AND t.cause = g.cause AND t.status IN ('new', 'assigned', 'returned')
        GROUP BY department, severity, due_on HAVING sum(cases) > 0) cell) c
    ORDER BY g.cases DESC, g.lane, g.cause`.execute(db);
  return rows;
}

/**
 * The groups as far as a filter lets their cases through: each with what is open of it there.
 *
 * @param above `queue.group_above`; of the whole group, wherever its cases are
 */
export async function listGroupsWithin(
  warehouse: Queryable,
  above: number,
  filter: CaseFilter,
): Promise<CaseGroup[]> {
  const groups = await listGroups(warehouse, above);
  const keys = groups.map(({ rule, feed }) => `${rule} ${feed}`);
  const causes = groups.map(({ group }) => group.split(':')[2] ?? '');
  const { rows } = await sql<Pick<CaseGroup, 'group' | 'cases' | 'due_on'>>`
    SELECT a.rule || ':' || a.feed || ':' || a.cause AS "group", count(*) AS cases, min(a.due_on) AS due_on
    FROM unnest(${keys}::text[], ${causes}::text[]) AS g (lane, cause)
    JOIN anomalies.anomaly a ON a.lane = g.lane AND a.cause = g.cause
    WHERE ${caseConditions(filter, sql`a`, [])} GROUP BY a.rule, a.feed, a.cause`.execute(warehouse.db);
  const own = new Map(rows.map((row) => [row.group, row]));
  return groups
    .flatMap((group) => {
      const within = own.get(group.group);
      return within === undefined ? [] : [{ ...group, ...within }];
    })
    .sort((left, right) => right.cases - left.cases);
}

/** A group as rows name it. */
export interface CaseGroupKey {
  readonly lane: string;
  readonly cause: string;
}

/** The groups as `outside_groups` leaves them out. */
export async function groupKeys(db: Kysely<DB>, above: number): Promise<CaseGroupKey[]> {
  const { rows } = await sql<CaseGroupKey>`SELECT lane, cause FROM (${groupsAbove(above)}) g`.execute(db);
  return rows;
}

/** The book has each group once, and the journal is short: the one is read as it stands, the other summed. */
const groupsAbove = (above: number): RawBuilder<unknown> => sql`
  SELECT lane, cause, (coalesce(b.cases, 0) + coalesce(m.cases, 0))::bigint AS cases
  FROM anomalies.tally_group_book b FULL JOIN (
    SELECT lane, cause, sum(cases) AS cases FROM anomalies.tally_move
    WHERE severity <> 'info' AND status IN ('new', 'assigned', 'returned') AND cause <> ''
    GROUP BY lane, cause) m USING (lane, cause)
  WHERE coalesce(b.cases, 0) + coalesce(m.cases, 0) > ${above}`;
