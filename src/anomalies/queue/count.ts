import { type RawBuilder, sql, type Transaction } from 'kysely';
import type { DB } from '../../schema/database.ts';
import {
  asksForLanes,
  type CaseFilter,
  causeConditions,
  countyAbove,
  dueConditions,
  isCountedByIndex,
  levelOf,
  ownConditions,
  placeConditions,
  statusConditions,
  streamConditions,
} from './filter.ts';
import type { CaseGroupKey } from './groups.ts';
import { type Lane, rankOf } from './lanes.ts';
import { type CaseOrder, type Cursor, endOf, placeOf } from './order.ts';

/** What a filter lets through, in the same snapshot as the rows. */
export interface CaseCounts {
  readonly total: number;
  readonly overdue: number;
  readonly by_status: Readonly<Record<string, number>>;
  readonly by_rule: Readonly<Record<string, number>>;
  readonly by_severity: Readonly<Record<string, number>>;
  readonly by_department: Readonly<Record<string, number>>;
}

/** Cases of one place, status, lane and due date; within it they stand in the order of their ids. */
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
  /** The lanes that the filter lets through. */
  readonly lanes: readonly Lane[];
  /** What `outside_groups` leaves out. */
  readonly groups: readonly CaseGroupKey[];
  /** Where the page before ended. */
  readonly after: Cursor | null;
}

/** How many cases of a lane have a status. */
interface Kind {
  readonly status: string;
  readonly lane: string;
  readonly cases: number;
}

/**
 * Counts, and finds the streams that hold the next rows: those which begin before the rows of the streams ahead
 * of them fill the page.
 */
export async function countCases(
  tx: Transaction<DB>,
  request: CountRequest,
): Promise<{ counts: CaseCounts; streams: Stream[] }> {
  const { filter, order, limit, today, after, lanes } = request;
  const place = placeOf(order, sql`d`);
  const end = endOf(order, after);
  const { sources, streams } = isCountedByIndex(filter) ? fromCases(request) : fromTallies(request);
  const { rows } = await sql<{ kinds: Kind[]; overdue: number; streams: Stream[] }>`
    WITH ${sources},
    ahead AS (
      SELECT priority, due_on, sum(cases) FILTER (WHERE ${end === null ? sql`true` : sql`(${place}) > ${end}`})
               OVER (ORDER BY ${place} ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS cases
      FROM day d
      WHERE ${end === null ? sql`true` : sql`(${place}) >= ${end}`}),
    reached AS MATERIALIZED (SELECT priority, due_on FROM ahead WHERE coalesce(cases, 0) <= ${limit})
    SELECT (SELECT coalesce(jsonb_agg(k), '[]') FROM kind k) AS kinds,
           (SELECT coalesce(sum(cases), 0)::bigint FROM day WHERE due_on < ${today}::date) AS overdue,
           (SELECT coalesce(jsonb_agg(s), '[]') FROM (
              SELECT county, status, lane, due_on, priority FROM ${streams}) s) AS streams`.execute(tx);
  const found = rows[0];
  if (found === undefined) throw new Error('the counts have no row');
  return { counts: { ...summed(found.kinds, lanes), overdue: found.overdue }, streams: found.streams };
}

/** The kinds by each of what they say. */
function summed(kinds: readonly Kind[], lanes: readonly Lane[]): Omit<CaseCounts, 'overdue'> {
  const known = new Map(lanes.map((lane) => [lane.lane, lane]));
  const by = (nameOf: (kind: Kind) => string | undefined): Record<string, number> => {
    const sums = new Map<string, number>();
    for (const kind of kinds) {
      const name = nameOf(kind) ?? '';
      sums.set(name, (sums.get(name) ?? 0) + kind.cases);
    }
    return Object.fromEntries([...sums].sort(([left], [right]) => (left < right ? -1 : 1)));
  };
  return {
    total: kinds.reduce((sum, { cases }) => sum + cases, 0),
    by_status: by(({ status }) => status),
    by_rule: by(({ lane }) => lane.slice(0, lane.indexOf(' '))),
    by_severity: by(({ lane }) => known.get(lane)?.severity),
    by_department: by(({ lane }) => known.get(lane)?.department),
  };
}

/** What the counts are made of: `kind` and `day` as parts of a WITH, and the streams of the days in `reached`. */
interface Sources {
  readonly sources: RawBuilder<unknown>;
  readonly streams: RawBuilder<unknown>;
}

/** Of a person, an officer or a village: so few that their cases are counted, from an index. */
function fromCases({ filter, groups, lanes }: CountRequest): Sources {
  return {
    sources: sql`
      found AS MATERIALIZED (
        SELECT county, status, lane, due_on, count(*) AS cases
        FROM anomalies.anomaly a WHERE ${streamConditions(filter, sql`a`, groups)} GROUP BY 1, 2, 3, 4),
      cell AS MATERIALIZED (
        SELECT f.*, l.priority FROM found f
        JOIN unnest(${lanes.map(({ lane }) => lane)}::text[], ${lanes.map(rankOf)}::integer[]) AS l (lane, priority) USING (lane)),
      kind AS MATERIALIZED (SELECT status, lane, sum(cases)::bigint AS cases FROM cell GROUP BY 1, 2),
      day AS MATERIALIZED (SELECT priority, due_on, sum(cases) AS cases FROM cell GROUP BY 1, 2)`,
    streams: sql`cell JOIN reached USING (priority, due_on)`,
  };
}

/**
 * From the tallies, of counties or of townships: kinds and days from the small ones, unless something is asked for
 * that only the large one knows. What is outside of groups is everything without what is in them: few cells, found by
 * an index.
 */
function fromTallies({ filter, groups, lanes }: CountRequest): Sources {
  const { group, due_before, outside_groups: outside } = filter;
  const tally = levelOf(filter.division) === 'town' ? 'tally_town' : 'tally';
  const [kinds, days, cells, book] = [
    sql.id('anomalies', tally),
    sql.id('anomalies', `${tally}_day`),
    sql.id('anomalies', `${tally}_due`),
    sql.id('anomalies', `${tally}_due_book`),
  ];
  const always = [
    statusConditions(filter, sql`t`),
    ownConditions(filter, sql`t`),
    placeConditions(filter, sql`t`),
    ...(asksForLanes(filter) ? [sql`t.lane = ANY (${lanes.map(({ lane }) => lane)})`] : []),
  ];
  const due = dueConditions(filter, sql`t`);
  const inGroup = group === undefined ? [] : causeConditions({ group }, sql`t`, []);
  const where = (...more: readonly RawBuilder<unknown>[]) => sql.join([...always, ...more], sql` AND `);
  const fromCells = sql`${cells} t WHERE ${where(...due, ...inGroup)}`;
  const fromKinds =
    due_before === undefined && group === undefined
      ? sql`${kinds} t WHERE ${where(sql`t.severity <> 'info'`)}`
      : fromCells;
  const fromDays = asksForLanes(filter) ? fromCells : sql`${days} t WHERE ${where(...due)}`;
  // Of the book, each group by the index; of the journal, which is short, all at once.
  const grouped = sql`
    g AS MATERIALIZED (
      SELECT * FROM unnest(${groups.map(({ lane }) => lane)}::text[], ${groups.map(({ cause }) => cause)}::text[]) AS g (lane, cause)),
    grouped AS MATERIALIZED (
      SELECT t.* FROM g CROSS JOIN LATERAL (
        SELECT status, t.lane, priority, due_on, cases FROM ${book} t
        WHERE t.lane = g.lane AND t.cause = g.cause AND ${where(...due)} OFFSET 0) t
      UNION ALL
      SELECT status, t.lane, priority, due_on, cases FROM anomalies.tally_move t JOIN g USING (lane, cause)
      WHERE t.severity <> 'info' AND ${where(...due)}),`;
  const without = (columns: RawBuilder<unknown>) =>
    outside ? sql`UNION ALL SELECT ${columns}, -cases FROM grouped` : sql``;
  const outsideGroups = outside ? causeConditions({ outside_groups: outside }, sql`t`, groups) : [];
  const county = countyAbove(filter);
  return {
    sources: sql`
      ${outside ? grouped : sql``}
      kind AS MATERIALIZED (
        SELECT status, lane, sum(cases)::bigint AS cases
        FROM (SELECT status, lane, cases FROM ${fromKinds} ${without(sql`status, lane`)}) k
        GROUP BY status, lane HAVING sum(cases) > 0),
      day AS MATERIALIZED (
        SELECT priority, due_on, sum(cases) AS cases
        FROM (SELECT priority, due_on, cases FROM ${fromDays} ${without(sql`priority, due_on`)}) d
        GROUP BY priority, due_on HAVING sum(cases) > 0)`,
    streams: sql`reached r CROSS JOIN LATERAL (
      SELECT ${county === undefined ? sql`county` : sql`${county}::text AS county`}, status, lane FROM ${cells} t
      WHERE t.priority = r.priority AND t.due_on = r.due_on AND ${where(...inGroup, ...outsideGroups)}
      GROUP BY 1, status, lane HAVING sum(cases) > 0) t`,
  };
}
