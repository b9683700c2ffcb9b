import { type RawBuilder, sql, type Transaction } from 'kysely';
import type { DB } from '../../schema/database.ts';
import {
  type CaseFilter,
  caseConditions,
  countyAbove,
  indexConditions,
  laneConditions,
  needsIndex,
  placeConditions,
  sharedConditions,
} from './filter.ts';
import type { CaseGroupKey } from './groups.ts';
import { type CaseOrder, type Cursor, endOf, PRIORITY, placeOf } from './order.ts';

/** What a filter lets through, in the same snapshot as the rows. */
export interface CaseCounts {
  readonly total: number;
  readonly overdue: number;
  readonly by_status: Readonly<Record<string, number>>;
  readonly by_rule: Readonly<Record<string, number>>;
  readonly by_severity: Readonly<Record<string, number>>;
  readonly by_department: Readonly<Record<string, number>>;
}

/** Cases of one county, status, lane and due date; within it they stand in the order of their ids. */
export interface Stream {
  readonly county: string;
  readonly status: string;
  readonly lane: string;
  readonly due_on: string;
  readonly priority: number;
}

/** What is counted, and for which page. */
interface CountRequest {
  readonly filter: CaseFilter;
  readonly order: CaseOrder;
  /** Rows of the page. */
  readonly limit: number;
  /** YYYY-MM-DD: what was due earlier is overdue. */
  readonly today: string;
  /** What `outside_groups` leaves out. */
  readonly groups: readonly CaseGroupKey[];
  /** Where the page before ended. */
  readonly after: Cursor | null;
}

/**
 * Counts, and finds the streams that hold the next rows: those which begin before the rows of the streams ahead
 * of them fill the page.
 */
export async function countCases(
  tx: Transaction<DB>,
  request: CountRequest,
): Promise<{ counts: CaseCounts; streams: Stream[] }> {
  const { filter, order, limit, today, after } = request;
  const place = placeOf(order, sql`d`);
  const end = endOf(order, after);
  const { sources, streams } = isFewCells(filter) ? fromCells(request) : fromTallies(request);
  const counted = (column: RawBuilder<unknown>) => sql`(
    SELECT coalesce(jsonb_object_agg(name, n), '{}') FROM (
      SELECT ${column} AS name, sum(cases)::bigint AS n FROM kind GROUP BY ${column} ORDER BY ${column}) counted)`;
  const { rows } = await sql<{ counts: CaseCounts; streams: Stream[] }>`
    WITH ${sources},
    ahead AS (
      SELECT priority, due_on, sum(cases) FILTER (WHERE ${end === null ? sql`true` : sql`(${place}) > ${end}`})
               OVER (ORDER BY ${place} ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS cases
      FROM day d
      WHERE ${end === null ? sql`true` : sql`(${place}) >= ${end}`}),
    reached AS MATERIALIZED (SELECT priority, due_on FROM ahead WHERE coalesce(cases, 0) <= ${limit})
    SELECT jsonb_build_object(
             'total', (SELECT coalesce(sum(cases), 0)::bigint FROM kind),
             'overdue', (SELECT coalesce(sum(cases), 0)::bigint FROM day WHERE due_on < ${today}::date),
             'by_status', ${counted(sql`status`)}, 'by_rule', ${counted(sql`rule`)},
             'by_severity', ${counted(sql`severity`)}, 'by_department', ${counted(sql`department`)}) AS counts,
           (SELECT coalesce(jsonb_agg(s), '[]') FROM (
              SELECT county, status, lane, due_on, priority FROM ${streams}) s) AS streams`.execute(tx);
  const found = rows[0];
  if (found === undefined) throw new Error('the counts have no row');
  return found;
}

/** Whether the filter lets so few cells through, or from such an index, that they are read one by one. */
function isFewCells(filter: CaseFilter): boolean {
  return filter.person !== undefined || filter.group !== undefined || needsIndex(filter);
}

/** What the counts are made of: `kind` and `day` as parts of a WITH, and the streams of the days in `reached`. */
interface Sources {
  readonly sources: RawBuilder<unknown>;
  readonly streams: RawBuilder<unknown>;
}

/** From cells: county, status, lane and due date, and how many cases. Severity and department follow from the lane. */
function fromCells({ filter, groups }: CountRequest): Sources {
  return {
    sources: sql`
      cell AS MATERIALIZED (${cells(filter, groups)}),
      lanes AS MATERIALIZED (
        SELECT lane, rule, severity, department, ${PRIORITY} AS priority FROM anomalies.tally t
        WHERE ${laneConditions(filter, sql`t`)}
        GROUP BY lane, rule, severity, department HAVING sum(cases) > 0),
      kind AS MATERIALIZED (
        SELECT status, rule, severity, department, sum(cases) AS cases
        FROM (SELECT lane, status, sum(cases) AS cases FROM cell GROUP BY lane, status) c JOIN lanes USING (lane)
        GROUP BY status, rule, severity, department),
      day AS MATERIALIZED (
        SELECT priority, due_on, sum(cases) AS cases FROM cell JOIN lanes USING (lane) GROUP BY priority, due_on)`,
    streams: sql`cell JOIN lanes USING (lane) JOIN reached USING (priority, due_on)`,
  };
}

/** For a township, a village or an owner from their index; for a person or a group from the little there is. */
function cells(filter: CaseFilter, groups: readonly CaseGroupKey[]): RawBuilder<unknown> {
  if (filter.person !== undefined)
    return sql`
      SELECT county, status, lane, due_on, count(*) AS cases
      FROM anomalies.anomaly a WHERE ${caseConditions(filter, sql`a`, groups)} GROUP BY county, status, lane, due_on`;
  if (!needsIndex(filter))
    return sql`
      SELECT county, status, lane, due_on, sum(cases) AS cases
      FROM anomalies.tally_due t WHERE ${sharedConditions(filter, sql`t`, groups)}
      GROUP BY county, status, lane, due_on HAVING sum(cases) > 0`;
  // Within one township the rows of the index stand in the order of these groups.
  const county = countyAbove(filter);
  return sql`
    SELECT ${county === undefined ? sql`county` : sql`${county}::text AS county`}, status, lane, due_on, count(*) AS cases
    FROM anomalies.anomaly a
    WHERE a.severity <> 'info' AND ${placeConditions(filter, sql`a`, groups)} ${indexConditions(filter, sql`a`)}
    GROUP BY ${county === undefined ? sql`county,` : sql``} status, lane, due_on`;
}

/**
 * From the tallies: kinds from the small one unless due dates are asked for, days from that of the due dates. What
 * is outside of groups is everything without what is in them: these are few cells, found by an index.
 */
function fromTallies({ filter, groups }: CountRequest): Sources {
  const { outside_groups: outside, ...rest } = filter;
  const all = sharedConditions(rest, sql`t`, []);
  const kinds = filter.due_before === undefined ? sql`anomalies.tally` : sql`anomalies.tally_due`;
  const without = (columns: RawBuilder<unknown>) =>
    outside ? sql`UNION ALL SELECT ${columns}, -cases FROM grouped` : sql``;
  const grouped = sql`
    grouped AS MATERIALIZED (
      SELECT t.* FROM unnest(${groups.map(({ lane }) => lane)}::text[], ${groups.map(({ cause }) => cause)}::text[]) AS g (lane, cause)
      JOIN anomalies.tally_due t USING (lane, cause) WHERE ${all}),`;
  const kind = sql`status, rule, severity, department`;
  const day = sql`priority, due_on`;
  return {
    sources: sql`
      ${outside ? grouped : sql``}
      kind AS MATERIALIZED (
        SELECT ${kind}, sum(cases) AS cases
        FROM (SELECT ${kind}, cases FROM ${kinds} t WHERE ${all} ${without(kind)}) k
        GROUP BY ${kind} HAVING sum(cases) > 0),
      day AS MATERIALIZED (
        SELECT ${day}, sum(cases) AS cases
        FROM (SELECT ${day}, cases FROM anomalies.tally_due t WHERE ${all} ${without(day)}) d
        GROUP BY ${day} HAVING sum(cases) > 0)`,
    streams: sql`reached r CROSS JOIN LATERAL (
      SELECT county, status, lane FROM anomalies.tally_due t
      WHERE t.priority = r.priority AND t.due_on = r.due_on AND ${sharedConditions(filter, sql`t`, groups)}
      GROUP BY county, status, lane HAVING sum(cases) > 0) t`,
  };
}
