import { type RawBuilder, sql, type Transaction } from 'kysely';
import type { DB } from '../../schema/database.ts';
import { PopshareError } from '../../schema/errors.ts';
import { recordAct } from '../../schema/warehouse/audit.ts';
import type { Queryable } from '../../schema/warehouse/connect.ts';
import { changeCases } from './change-cases.ts';
import type { DueDates } from './due-dates.ts';
import { SENDING_DEPARTMENTS } from './known.ts';
import { requireInput } from './require-input.ts';
import { type CaseEvent, eventsAfter } from './show.ts';
import { enterMoves } from './tallies.ts';
import { type Action, type Actor, actionsAllowed, type CaseState, transitionOf } from './transitions.ts';

/** More than anybody types: a file that was pasted. */
export const LONGEST_COMMENT = 2000;

/** What somebody does to cases, and why. */
export interface ActionRequest {
  readonly action: Action;
  readonly actor: Actor;
  /** A code of the action's list. */
  readonly reason: string;
  readonly comment?: string | undefined;
  /** Who is to have the case; of `assign`. */
  readonly owner?: string | undefined;
  /** Which department is to mend it; of `return`. Without it, the one that the rule names. */
  readonly department?: string | undefined;
  /** YYYY-MM-DD, in Asia/Shanghai */
  readonly today: string;
  readonly dueDates: DueDates;
}

/** Somebody else, or the night, has changed the case since it was looked at. */
export class CaseChangedError extends PopshareError {
  /** What happened since, oldest first. */
  readonly since: readonly CaseEvent[];

  constructor(caseId: number, seen: number, current: number, since: readonly CaseEvent[]) {
    const told = since.map(({ kind, actor, on_date }) => `${kind} on ${on_date} by ${actor ?? 'the night'}`);
    const meanwhile = told.length === 0 ? '' : `: ${told.join(', ')}`;
    super('CASE_CHANGED', `case ${caseId} is at version ${current}, not ${seen}${meanwhile}`);
    this.since = since;
  }
}

/**
 * Does one thing to one case, as its actor has seen it, and says so in the audit log.
 *
 * @param version of the case that the actor has seen
 * @returns the version that the case has now
 * @throws CASE_UNKNOWN; CASE_CHANGED (a {@link CaseChangedError}) when that is not its version any more; CASE_STATE
 *   when it does not allow the action, or not to this actor; CASE_INPUT when something asked for is missing
 */
export async function actOnCase(
  warehouse: Queryable,
  caseId: number,
  version: number,
  request: ActionRequest,
): Promise<number> {
  requireComplete(request);
  await warehouse.db.transaction().execute(async (tx) => {
    const current = await lockCase(tx, caseId);
    if (current.version !== version)
      throw new CaseChangedError(caseId, version, current.version, await eventsAfter(tx, caseId, version));
    const allowed = actionsAllowed(current, request.actor).map(({ action }) => action);
    if (!allowed.includes(request.action))
      throw new PopshareError(
        'CASE_STATE',
        `case ${caseId} is ${current.status}${current.healed ? ', healed' : ''}; ${request.actor.name} may ${allowed.join(', ') || 'do nothing'}, not ${request.action}`,
      );
    if (request.action === 'return' && request.department === undefined && current.department === 'operator')
      throw new PopshareError('CASE_INPUT', `case ${caseId} is the operator’s: name the department`);
    await changeCases(tx, {
      chosen: sql`SELECT a.* FROM anomalies.anomaly a WHERE a.anomaly_id = ${caseId} FOR UPDATE OF a`,
      set: assignments(request),
      event: eventOf(request),
    });
    await recordAct(tx, {
      actor: request.actor.name,
      action: 'case',
      subject: `case ${caseId}`,
      purpose: request.reason,
      detail: { before: current.status, after: transitionOf(request.action).to },
    });
  });
  await enterMoves(warehouse);
  return version + 1;
}

async function lockCase(
  tx: Transaction<DB>,
  caseId: number,
): Promise<CaseState & { version: number; department: string }> {
  const { rows } = await sql<CaseState & { version: number; department: string }>`
    SELECT version, status, severity, owner, healed, suppressed_by IS NOT NULL AS suppressed, department
    FROM anomalies.anomaly WHERE anomaly_id = ${caseId} FOR UPDATE`.execute(tx);
  if (rows[0] === undefined) throw new PopshareError('CASE_UNKNOWN', `there is no case ${caseId}`);
  return rows[0];
}

/**
 * Whether everything that the action asks for is there.
 *
 * @throws CASE_INPUT
 */
export function requireComplete({ action, actor, reason, comment, owner, department }: ActionRequest): void {
  const { asks, reasons } = transitionOf(action);
  const codes = reasons.map(({ code }) => code);
  const isGiven = (text: string | undefined): boolean => (text ?? '').trim() !== '';
  requireInput(isGiven(actor.name), 'who acts must be named');
  requireInput(
    codes.includes(reason),
    `${reason || 'nothing'} is no reason to ${action}; expected ${codes.join(', ')}`,
  );
  requireInput(!asks.includes('comment') || isGiven(comment), `to ${action} needs a comment`);
  requireInput(
    (comment ?? '').length <= LONGEST_COMMENT,
    `a comment has at most ${LONGEST_COMMENT} characters`,
  );
  requireInput(!asks.includes('owner') || isGiven(owner), `to ${action} needs an owner`);
  requireInput(
    action !== 'assign' || actor.role !== 'officer' || owner === actor.name,
    'an officer takes cases; a supervisor gives them to others',
  );
  requireInput(
    department === undefined || SENDING_DEPARTMENTS.includes(department),
    `${department || 'nothing'} is no department that sends data; expected ${SENDING_DEPARTMENTS.join(', ')}`,
  );
}

/** The columns that an action changes; of the case as it was, `c`. */
export function assignments(request: ActionRequest): Record<string, RawBuilder<unknown>> {
  const { action, owner, department, today, dueDates } = request;
  const due = sql`CASE c.severity
    WHEN 'high' THEN ${dueDates.dueOn('high', today)}::date
    WHEN 'medium' THEN ${dueDates.dueOn('medium', today)}::date
    WHEN 'low' THEN ${dueDates.dueOn('low', today)}::date END`;
  const lastSeen = sql`coalesce((SELECT as_of FROM anomalies.rule_state s WHERE s.rule = c.rule), c.last_seen)`;
  const status = sql`${transitionOf(action).to}::text`;
  switch (action) {
    case 'assign':
      return { status, owner: sql`${owner}::text`, returned_to: sql`NULL` };
    // The department has the whole time, however late the case is.
    case 'return':
      return { status, returned_to: sql`coalesce(${department ?? null}::text, c.department)`, due_on: due };
    case 'resolve':
    case 'dismiss':
      return { status, returned_to: sql`NULL`, last_seen: lastSeen };
    case 'reopen':
      return { status, owner: sql`NULL`, due_on: due, opened_on: sql`${today}::date` };
  }
}

/** The event of an action. */
export function eventOf({ action, actor, reason, comment, today }: ActionRequest) {
  const kinds = {
    assign: 'assigned',
    return: 'returned',
    resolve: 'resolved',
    dismiss: 'dismissed',
    reopen: 'reopened',
  } as const;
  return {
    kind: sql`${kinds[action]}::text`,
    actor: actor.name,
    on: today,
    reason: sql`${reason}::text`,
    comment: comment?.trim() || null,
  };
}
