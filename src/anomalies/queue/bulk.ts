import { type RawBuilder, sql } from 'kysely';
import { PopshareError } from '../../schema/errors.ts';
import { recordAct } from '../../schema/warehouse/audit.ts';
import type { Queryable } from '../../schema/warehouse/connect.ts';
import { type ActionRequest, assignments, eventOf, requireComplete } from './actions.ts';
import { changeCases } from './change-cases.ts';
import { type CaseFilter, caseConditions } from './filter.ts';
import { groupKeys } from './groups.ts';
import { enterMoves } from './tallies.ts';
import { type Actor, type Status, transitionOf } from './transitions.ts';

/** One thing to be done to all cases that a filter lets through. */
export interface BulkRequest extends ActionRequest {
  readonly filter: CaseFilter;
  /** At most so many, the oldest first. */
  readonly limit: number;
  /** `queue.group_above`, for `outside_groups`. */
  readonly groupAbove: number;
}

/** What a bulk action would do. */
export interface BulkPreview {
  /** Cases that the filter lets through and that allow the action. */
  readonly matching: number;
  /** The first of them. */
  readonly examples: readonly { anomaly_id: number; rule: string; status: Status; due_on: string }[];
}

const EXAMPLES = 5;

/**
 * What {@link actInBulk} would do, without doing it.
 *
 * @throws CASE_INPUT
 */
export async function previewBulk(warehouse: Queryable, request: BulkRequest): Promise<BulkPreview> {
  requireBulk(request);
  const matching = await matchingCases(warehouse, request);
  const { rows } = await sql<BulkPreview>`
    SELECT (SELECT count(*) FROM anomalies.anomaly a WHERE ${matching}) AS matching,
           (SELECT coalesce(jsonb_agg(e ORDER BY anomaly_id), '[]') FROM (
              SELECT a.anomaly_id, a.rule, a.status, a.due_on FROM anomalies.anomaly a
              WHERE ${matching} ORDER BY a.anomaly_id LIMIT ${EXAMPLES}) e) AS examples`.execute(
    warehouse.db,
  );
  return rows[0] ?? { matching: 0, examples: [] };
}

/**
 * Does one thing to all cases of a filter that allow it, in one statement, with an event for each and one entry in
 * the audit log. Cases that do not allow it are left alone.
 *
 * @returns the number of the bulk action, by which it can be undone, and how many cases it changed
 * @throws CASE_INPUT when something asked for is missing, the filter is empty, or the actor is no supervisor
 */
export async function actInBulk(
  warehouse: Queryable,
  request: BulkRequest,
): Promise<{ bulk_id: number; cases: number }> {
  requireBulk(request);
  const { action, filter, actor, reason, comment, limit } = request;
  const matching = await matchingCases(warehouse, request);
  const done = await warehouse.db.transaction().execute(async (tx) => {
    const { rows } = await sql<{ bulk_id: number }>`
      INSERT INTO anomalies.bulk_action (action, filter, actor, reason, comment)
      VALUES (${action}, ${JSON.stringify(filter)}::jsonb, ${actor.name}, ${reason}, ${comment ?? null})
      RETURNING bulk_id`.execute(tx);
    const bulkId = rows[0]?.bulk_id ?? 0;
    const { changed } = await changeCases(tx, {
      chosen: sql`
        SELECT a.* FROM anomalies.anomaly a WHERE ${matching} ORDER BY a.anomaly_id LIMIT ${limit} FOR UPDATE OF a`,
      set: assignments(request),
      event: { ...eventOf(request), bulkId },
    });
    await sql`UPDATE anomalies.bulk_action SET cases = ${changed} WHERE bulk_id = ${bulkId}`.execute(tx);
    const { from: before, to: after } = transitionOf(action);
    await recordAct(tx, {
      actor: actor.name,
      action: 'case',
      subject: `bulk ${bulkId}`,
      purpose: reason,
      detail: { filter, before, after, cases: changed },
    });
    return { bulk_id: bulkId, cases: changed };
  });
  await enterMoves(warehouse);
  return done;
}

/**
 * Takes a bulk action back: its cases that nobody, and no night, has touched since are as they were before.
 *
 * @returns how many cases it brought back, and how many it left alone
 * @throws BULK_UNKNOWN; BULK_STATE when it has been undone already; CASE_INPUT when the actor is no supervisor
 */
export async function undoBulk(
  warehouse: Queryable,
  bulkId: number,
  { actor, today }: { readonly actor: Actor; readonly today: string },
): Promise<{ undone: number; kept: number }> {
  requireSupervisor(actor);
  const done = await warehouse.db.transaction().execute(async (tx) => {
    const { rows } = await sql<{ cases: number; undone_at: Date | null }>`
      SELECT cases, undone_at FROM anomalies.bulk_action WHERE bulk_id = ${bulkId} FOR UPDATE`.execute(tx);
    const bulk = rows[0];
    if (bulk === undefined) throw new PopshareError('BULK_UNKNOWN', `there is no bulk action ${bulkId}`);
    if (bulk.undone_at !== null)
      throw new PopshareError('BULK_STATE', `bulk action ${bulkId} was undone before`);
    const { changed } = await changeCases(tx, {
      chosen: sql`
        SELECT a.*, e.from_status AS status_before, e.before
        FROM anomalies.anomaly_event e JOIN anomalies.anomaly a USING (anomaly_id)
        WHERE e.bulk_id = ${bulkId} AND a.version = e.version
        ORDER BY a.anomaly_id FOR UPDATE OF a`,
      set: {
        status: sql`c.status_before`,
        owner: sql`c.before ->> 'owner'`,
        returned_to: sql`c.before ->> 'returned_to'`,
        due_on: sql`(c.before ->> 'due_on')::date`,
        opened_on: sql`(c.before ->> 'opened_on')::date`,
        last_seen: sql`(c.before ->> 'last_seen')::date`,
      },
      event: { kind: sql`'undone'`, actor: actor.name, on: today, reason: sql`${`bulk ${bulkId}`}::text` },
    });
    await sql`
      UPDATE anomalies.bulk_action SET undone_by = ${actor.name}, undone_at = now() WHERE bulk_id = ${bulkId}`.execute(
      tx,
    );
    await recordAct(tx, {
      actor: actor.name,
      action: 'case',
      subject: `bulk ${bulkId}`,
      purpose: 'undo',
      detail: { undone: changed, kept: bulk.cases - changed },
    });
    return { undone: changed, kept: bulk.cases - changed };
  });
  await enterMoves(warehouse);
  return done;
}

/** A bulk action that was taken. */
export interface BulkAction {
  readonly bulk_id: number;
  readonly action: string;
  readonly filter: Record<string, unknown>;
  readonly actor: string;
  readonly reason: string;
  readonly comment: string | null;
  /** That it changed. */
  readonly cases: number;
  readonly at: Date;
  readonly undone_by: string | null;
  readonly undone_at: Date | null;
}

/**
 * Bulk actions, newest first.
 *
 * @param after the last one of the page before; null for the first page
 */
export async function listBulkActions(
  { db }: Queryable,
  after: number | null,
  limit: number,
): Promise<BulkAction[]> {
  const { rows } = await sql<BulkAction>`
    SELECT bulk_id, action, filter, actor, reason, comment, cases, at, undone_by, undone_at
    FROM anomalies.bulk_action WHERE ${after}::bigint IS NULL OR bulk_id < ${after}
    ORDER BY bulk_id DESC LIMIT ${limit}`.execute(db);
  return rows;
}

/** What the filter lets through, as far as it allows the action. Closed by the data, or suppressed, it does not. */
async function matchingCases(warehouse: Queryable, request: BulkRequest): Promise<RawBuilder<unknown>> {
  const { filter, action, department, groupAbove } = request;
  const groups = filter.outside_groups ? await groupKeys(warehouse.db, groupAbove) : [];
  const owned = action === 'return' && department === undefined ? sql`AND a.department <> 'operator'` : sql``;
  return sql`${caseConditions(filter, sql`a`, groups)} AND a.status = ANY (${transitionOf(action).from})
    AND NOT a.healed AND a.suppressed_by IS NULL ${owned}`;
}

/** @throws CASE_INPUT */
function requireBulk(request: BulkRequest): void {
  requireSupervisor(request.actor);
  requireComplete(request);
  if (Object.keys(request.filter).length === 0)
    throw new PopshareError('CASE_INPUT', 'a bulk action needs a filter');
}

/** @throws CASE_INPUT */
function requireSupervisor({ role }: Actor): void {
  if (role !== 'supervisor') throw new PopshareError('CASE_INPUT', 'bulk actions are a supervisor’s to take');
}
