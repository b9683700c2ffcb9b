import type { Kysely } from 'kysely';
import { sql } from 'kysely';
import type { DB } from '../../schema/database.ts';
import { PopshareError } from '../../schema/errors.ts';
import { recordAct } from '../../schema/warehouse/audit.ts';
import type { Queryable } from '../../schema/warehouse/connect.ts';
import type { Severity } from './due-dates.ts';
import type { Actor, CaseState, Status } from './transitions.ts';

/** One case as its page shows it. The evidence is masked by its rule. */
export interface CaseDetail {
  readonly anomaly_id: number;
  readonly version: number;
  readonly rule: string;
  readonly subject: string;
  readonly severity: Severity;
  readonly status: Status;
  readonly healed: boolean;
  readonly suppressed_by: number | null;
  readonly department: string;
  readonly division: string | null;
  readonly feed: string | null;
  readonly source_key: string | null;
  readonly role: string | null;
  readonly person_id: number | null;
  readonly owner: string | null;
  readonly returned_to: string | null;
  readonly due_on: string | null;
  readonly opened_on: string;
  readonly first_seen: string;
  readonly last_seen: string;
  readonly group: string | null;
  readonly evidence: Readonly<Record<string, unknown>>;
}

/** What happened to a case once. */
export interface CaseEvent {
  readonly kind: string;
  readonly version: number;
  /** Null: the night. */
  readonly actor: string | null;
  readonly on_date: string;
  readonly at: Date;
  readonly from_status: Status | null;
  readonly to_status: Status;
  readonly reason: string | null;
  readonly comment: string | null;
  readonly bulk_id: number | null;
  readonly evidence: Readonly<Record<string, unknown>> | null;
}

/** A case that speaks of the same person. */
interface RelatedCase {
  readonly anomaly_id: number;
  readonly rule: string;
  readonly severity: string;
  readonly status: Status;
  readonly feed: string | null;
  readonly source_key: string | null;
  readonly due_on: string | null;
}

const MOST_RELATED = 100;

/** One case, with all that happened to it, oldest first, and the open cases of the same person. */
interface WholeCase {
  readonly case: CaseDetail;
  readonly events: CaseEvent[];
  readonly related: RelatedCase[];
}

/**
 * Shows one case to somebody: the audit log says who looked, and why.
 *
 * @throws CASE_UNKNOWN
 */
export async function showCase(
  warehouse: Queryable,
  caseId: number,
  { actor, purpose }: { readonly actor: Actor; readonly purpose?: string | undefined },
): Promise<WholeCase> {
  return warehouse.db.transaction().execute(async (tx) => {
    const found = await readCase(tx, caseId);
    const detail = found.case.person_id === null ? {} : { person: found.case.person_id };
    await recordAct(tx, { actor: actor.name, action: 'look', subject: `case ${caseId}`, purpose, detail });
    return found;
  });
}

/**
 * Reads one case for whoever does not show it to anybody: {@link showCase} does.
 *
 * @throws CASE_UNKNOWN
 */
export async function readCase(db: Kysely<DB>, caseId: number): Promise<WholeCase> {
  const { rows } = await sql<CaseDetail>`
    SELECT a.anomaly_id, a.version, a.rule, a.subject, a.severity, a.status, a.healed, a.suppressed_by, a.department,
           a.division, a.feed, a.source_key, a.role, a.person_id, a.owner, a.returned_to, a.due_on, a.opened_on,
           a.first_seen,
           CASE WHEN a.status IN ('resolved', 'dismissed') THEN a.last_seen ELSE greatest(a.last_seen, s.as_of) END AS last_seen,
           a.rule || ':' || a.feed || ':' || a.cause AS "group", a.evidence
    FROM anomalies.anomaly a LEFT JOIN anomalies.rule_state s USING (rule) WHERE a.anomaly_id = ${caseId}`.execute(
    db,
  );
  const found = rows[0];
  if (found === undefined) throw new PopshareError('CASE_UNKNOWN', `there is no case ${caseId}`);
  const related = await sql<RelatedCase>`
    SELECT anomaly_id, rule, severity, status, feed, source_key, due_on FROM anomalies.anomaly
    WHERE person_id = ${found.person_id} AND anomaly_id <> ${caseId} AND status IN ('new', 'assigned', 'returned')
    ORDER BY anomaly_id LIMIT ${MOST_RELATED}`.execute(db);
  return { case: found, events: await eventsAfter(db, caseId, 0), related: related.rows };
}

/** What happened to a case after a version of it, oldest first. */
export async function eventsAfter(db: Kysely<DB>, caseId: number, version: number): Promise<CaseEvent[]> {
  const { rows } = await sql<CaseEvent>`
    SELECT kind, version, actor, on_date, at, from_status, to_status, reason, comment, bulk_id, evidence
    FROM anomalies.anomaly_event WHERE anomaly_id = ${caseId} AND version > ${version} ORDER BY event_id`.execute(
    db,
  );
  return rows;
}

/** What of a case says which actions it allows. */
export function stateOf({ status, severity, owner, healed, suppressed_by }: CaseDetail): CaseState {
  return { status, severity, owner, healed, suppressed: suppressed_by !== null };
}
