import { type RawBuilder, sql, type Transaction } from 'kysely';
import type { DB } from '../../schema/database.ts';
import { PopshareError } from '../../schema/errors.ts';
import { recordAct } from '../../schema/warehouse/audit.ts';
import type { Queryable } from '../../schema/warehouse/connect.ts';
import { LONGEST_COMMENT } from './actions.ts';
import { changeCases } from './change-cases.ts';
import { type DivisionScope, divisionPrefix } from './filter.ts';
import { requireInput } from './require-input.ts';
import { enterMoves } from './tallies.ts';
import { type Actor, OPEN_STATUSES } from './transitions.ts';

/** What is not to be brought before an officer for a time, and why. */
export interface NewSuppression {
  readonly rule: string;
  /** One subject, one person, or the records of a feed, of a division, or of both. */
  readonly covers:
    | { readonly subject: string }
    | { readonly person: number }
    | { readonly feed: string; readonly division?: DivisionScope }
    | { readonly division: DivisionScope };
  /** YYYY-MM-DD: the last day on which it is in force. */
  readonly until: string;
  readonly reason: string;
  readonly comment: string;
  readonly actor: Actor;
  /** YYYY-MM-DD */
  readonly today: string;
}

/** A suppression, and how many cases it keeps closed. */
export interface Suppression {
  readonly suppression_id: number;
  readonly rule: string;
  readonly subject: string | null;
  readonly person_id: number | null;
  readonly feed: string | null;
  readonly division: string | null;
  readonly until: string;
  readonly actor: string;
  readonly reason: string;
  readonly comment: string;
  readonly lifted_by: string | null;
  readonly cases: number;
}

/** Why something is suppressed. */
export const SUPPRESSION_REASONS = [
  { code: 'known_exception', label: { zh: '已知的例外', en: 'a known exception' } },
  { code: 'being_settled', label: { zh: '正在集中办理', en: 'being settled as a whole' } },
  { code: 'source_under_repair', label: { zh: '来源系统正在整改', en: 'the source is being mended' } },
] as const;

/** The oldest suppression in force that covers a subject; `subject` is the alias of its row. */
export function suppressorOf(subject: RawBuilder<unknown>, rule: string, asOf: string): RawBuilder<unknown> {
  return sql`(
    SELECT min(s.suppression_id) FROM anomalies.suppression s
    WHERE s.rule = ${rule} AND s.lifted_at IS NULL AND s.until >= ${asOf}::date
      AND (s.subject IS NULL OR s.subject = ${subject}.subject)
      AND (s.person_id IS NULL OR s.person_id = ${subject}.person_id)
      AND (s.feed IS NULL OR s.feed = ${subject}.feed)
      AND (s.division IS NULL OR starts_with(${subject}.division, s.division)))`;
}

/** Marks in the temporary table `found` what a suppression in force covers. */
export async function suppressFound(tx: Transaction<DB>, rule: string, asOf: string): Promise<void> {
  const { rows } = await sql`
    SELECT FROM anomalies.suppression WHERE rule = ${rule} AND lifted_at IS NULL AND until >= ${asOf}::date LIMIT 1`.execute(
    tx,
  );
  if (rows.length === 0) return;
  await sql`UPDATE found SET suppressed_by = ${suppressorOf(sql`found`, rule, asOf)}`.execute(tx);
}

/**
 * Suppresses: open cases that are covered are dismissed at once, what the nights find is kept closed and counted,
 * and after the last day the night brings back what is still so.
 *
 * @throws CASE_INPUT when it has ended already, reason or comment are missing, or the actor is no supervisor
 */
export async function suppress(
  warehouse: Queryable,
  given: NewSuppression,
): Promise<{ suppression_id: number; cases: number }> {
  requireSound(given);
  const { rule, covers, until, reason, comment, actor, today } = given;
  const subject = 'subject' in covers ? covers.subject : null;
  const person = 'person' in covers ? covers.person : null;
  const feed = 'feed' in covers ? covers.feed : null;
  const division =
    'division' in covers && covers.division !== undefined ? divisionPrefix(covers.division) : null;
  const done = await warehouse.db.transaction().execute(async (tx) => {
    const { rows } = await sql<{ suppression_id: number }>`
      INSERT INTO anomalies.suppression (rule, subject, person_id, feed, division, until, actor, reason, comment)
      VALUES (${rule}, ${subject}, ${person}, ${feed}, ${division}, ${until}, ${actor.name}, ${reason}, ${comment})
      RETURNING suppression_id`.execute(tx);
    const suppressionId = rows[0]?.suppression_id ?? 0;
    const { changed } = await changeCases(tx, {
      chosen: sql`
        SELECT a.* FROM anomalies.anomaly a
        WHERE a.rule = ${rule} AND a.status IN ('new', 'assigned', 'returned')
          AND ${suppressorOf(sql`a`, rule, today)} IS NOT NULL
        ORDER BY a.anomaly_id FOR UPDATE OF a`,
      set: {
        status: sql`'dismissed'`,
        suppressed_by: sql`${suppressionId}::bigint`,
        owner: sql`NULL`,
        returned_to: sql`NULL`,
      },
      event: {
        kind: sql`'suppressed'`,
        actor: actor.name,
        on: today,
        reason: sql`${reason}::text`,
        comment,
      },
    });
    await recordAct(tx, {
      actor: actor.name,
      action: 'case',
      subject: `suppression ${suppressionId}`,
      purpose: reason,
      detail: { rule, until, before: OPEN_STATUSES, after: 'dismissed', cases: changed },
    });
    return { suppression_id: suppressionId, cases: changed };
  });
  await enterMoves(warehouse);
  return done;
}

/**
 * Ends a suppression before its day. The next night brings its cases back.
 *
 * @throws SUPPRESSION_UNKNOWN when none of this id is in force
 */
export async function liftSuppression(
  warehouse: Queryable,
  suppressionId: number,
  actor: Actor,
): Promise<void> {
  await warehouse.db.transaction().execute(async (tx) => {
    const { numAffectedRows } = await sql`
      UPDATE anomalies.suppression SET lifted_by = ${actor.name}, lifted_at = now()
      WHERE suppression_id = ${suppressionId} AND lifted_at IS NULL`.execute(tx);
    if (numAffectedRows !== 1n)
      throw new PopshareError('SUPPRESSION_UNKNOWN', `there is no suppression ${suppressionId} in force`);
    await recordAct(tx, {
      actor: actor.name,
      action: 'case',
      subject: `suppression ${suppressionId}`,
      purpose: 'lift',
    });
  });
}

/**
 * The suppressions, newest first, each with the cases that it keeps closed.
 *
 * @param page `after`: the id of the last one of the page before; null for the first page
 */
export async function listSuppressions(
  warehouse: Queryable,
  { after, limit }: { readonly after: number | null; readonly limit: number },
): Promise<Suppression[]> {
  const { rows } = await sql<Suppression>`
    SELECT s.suppression_id, s.rule, s.subject, s.person_id, s.feed, s.division, s.until, s.actor, s.reason, s.comment,
           s.lifted_by, (SELECT count(*) FROM anomalies.anomaly a WHERE a.suppressed_by = s.suppression_id) AS cases
    FROM anomalies.suppression s
    WHERE ${after}::bigint IS NULL OR s.suppression_id < ${after}
    ORDER BY s.suppression_id DESC LIMIT ${limit}`.execute(warehouse.db);
  return rows;
}

/** @throws CASE_INPUT */
function requireSound({ until, today, reason, comment, actor }: NewSuppression): void {
  const codes = SUPPRESSION_REASONS.map(({ code }) => code);
  requireInput(until >= today, `${until} is past: a suppression ends in the future`);
  requireInput(
    codes.some((code) => code === reason),
    `${reason} is no reason to suppress; expected ${codes.join(', ')}`,
  );
  requireInput(comment.trim() !== '', 'a suppression needs a comment');
  requireInput(comment.length <= LONGEST_COMMENT, `a comment has at most ${LONGEST_COMMENT} characters`);
  requireInput(actor.role === 'supervisor', 'a suppression is a supervisor’s to declare');
}
