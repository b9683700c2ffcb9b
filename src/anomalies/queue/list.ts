import { sql, type Transaction } from 'kysely';
import type { DB } from '../../schema/database.ts';
import type { Queryable } from '../../schema/warehouse/connect.ts';
import { type CaseCounts, countCases, type Stream } from './count.ts';
import { type CaseFilter, levelOf, streamConditions } from './filter.ts';
import { type CaseGroupKey, groupKeys } from './groups.ts';
import { lanesOf } from './lanes.ts';
import { type CaseOrder, type Cursor, endOf, placeOf, readCursor, writeCursor } from './order.ts';
import type { Status } from './transitions.ts';

export interface PageRequest {
  readonly filter: CaseFilter;
  readonly order: CaseOrder;
  /** Rows of a page: 1 to 200. */
  readonly limit: number;
  /** Where the page before ended (`next`); null for the first. */
  readonly after: string | null;
  /** YYYY-MM-DD: what was due earlier is overdue. */
  readonly today: string;
  /** `queue.group_above`, for `outside_groups`. */
  readonly groupAbove: number;
}

/** A case as lists show it. */
export interface CaseRow {
  readonly anomaly_id: number;
  readonly version: number;
  readonly rule: string;
  readonly severity: string;
  readonly status: Status;
  readonly department: string;
  readonly division: string | null;
  readonly feed: string | null;
  readonly source_key: string | null;
  readonly person_id: number | null;
  readonly owner: string | null;
  readonly returned_to: string | null;
  readonly due_on: string;
  readonly opened_on: string;
  readonly group: string | null;
  /** Open cases of the same person, this one included. */
  readonly person_cases: number;
}

export interface CasePage {
  readonly counts: CaseCounts;
  readonly cases: CaseRow[];
  /** For the page that follows; null when there is none. */
  readonly next: string | null;
}

/**
 * One page of the queue with its counts, from one snapshot.
 *
 * The counts say in which streams the page's rows must be; only these are walked, from the row where the page
 * before ended. So a page costs the same wherever it is, and whatever share of the cases the filter lets through.
 *
 * @throws CASE_INPUT when `after` is no end of a page
 */
export async function listCases(warehouse: Queryable, request: PageRequest): Promise<CasePage> {
  const after = request.after === null ? null : readCursor(request.after);
  return inSnapshot(warehouse, async (tx) => {
    const groups = request.filter.outside_groups ? await groupKeys(tx, request.groupAbove) : [];
    const lanes = await lanesOf(tx, request.filter);
    const { counts, streams } = await countCases(tx, { ...request, lanes, groups, after });
    const rows = await readRows(tx, request, groups, streams, after);
    const cases = rows.slice(0, request.limit).map(({ priority: _, ...row }) => row);
    const last = rows.length > request.limit ? rows[request.limit - 1] : undefined;
    return {
      counts,
      cases,
      next: last === undefined ? null : writeCursor([last.priority, last.due_on, last.anomaly_id]),
    };
  });
}

/** What statements in it see does not change between them; it can write nothing. */
function inSnapshot<Result>(
  warehouse: Queryable,
  work: (tx: Transaction<DB>) => Promise<Result>,
): Promise<Result> {
  return warehouse.db
    .transaction()
    .setIsolationLevel('repeatable read')
    .setAccessMode('read only')
    .execute(work);
}

/** Place and id of the rows of a page, and one more that tells whether another page follows. */
async function readRows(
  tx: Transaction<DB>,
  { filter, order, limit }: PageRequest,
  groups: readonly CaseGroupKey[],
  streams: readonly Stream[],
  after: Cursor | null,
): Promise<(CaseRow & { priority: number })[]> {
  const place = placeOf(order, sql`s`);
  const end = endOf(order, after);
  const beyond =
    end === null
      ? sql``
      : sql`AND a.anomaly_id > CASE WHEN (${place}) = ${end} THEN ${after?.[2]}::bigint ELSE 0 END`;
  // A township or a village has an index of its own, which knows no counties.
  const county = levelOf(filter.division) === 'county' ? sql`a.county = s.county` : sql`true`;
  const walk = (rows: number) => sql`
    SELECT a.anomaly_id FROM anomalies.anomaly a
    WHERE ${county} AND a.status = s.status AND a.lane = s.lane AND a.due_on = s.due_on
      AND ${streamConditions(filter, sql`a`, groups)} ${beyond}
    ORDER BY a.anomaly_id LIMIT ${rows}`;
  // As many streams as the page has rows are enough: those whose first rows come first.
  const { rows } = await sql<CaseRow & { priority: number }>`
    WITH first AS MATERIALIZED (
      SELECT s.* FROM jsonb_to_recordset(${JSON.stringify(streams)}::jsonb)
        AS s (county text COLLATE "C", status text COLLATE "C", lane text COLLATE "C", due_on date, priority integer)
      CROSS JOIN LATERAL (${walk(1)}) c
      ORDER BY ${place}, c.anomaly_id LIMIT ${limit + 1}),
    page AS MATERIALIZED (
      SELECT c.anomaly_id, s.priority, s.due_on FROM first s CROSS JOIN LATERAL (${walk(limit + 1)}) c
      ORDER BY ${place}, c.anomaly_id LIMIT ${limit + 1})
    SELECT a.anomaly_id, a.version, a.rule, a.severity, a.status, a.department, a.division, a.feed, a.source_key,
           a.person_id, a.owner, a.returned_to, a.due_on, a.opened_on, s.priority,
           a.rule || ':' || a.feed || ':' || a.cause AS "group",
           (SELECT count(*) FROM anomalies.anomaly o
            WHERE o.person_id = a.person_id AND o.status IN ('new', 'assigned', 'returned')) AS person_cases
    FROM page s JOIN anomalies.anomaly a USING (anomaly_id)
    ORDER BY ${place}, a.anomaly_id`.execute(tx);
  return rows;
}
