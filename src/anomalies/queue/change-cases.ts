import { type RawBuilder, sql, type Transaction } from 'kysely';
import type { DB } from '../../schema/database.ts';
import { counting } from './tallies.ts';

/**
 * A change of cases. Every expression may read `c`: the case as it was, locked, with whatever `chosen` adds to
 * it; those of the event also `n`: the case as it has become.
 */
interface Change {
  /**
   * A SELECT of `a.*` (FROM anomalies.anomaly a …) that ends with FOR UPDATE OF a, in the order of anomaly_id:
   * what is locked in one order never waits in a circle. Its WHERE is judged again on what others committed
   * while it waited.
   */
  readonly chosen: RawBuilder<unknown>;
  /** Columns and their new values; none where something is only told. The version is counted up by itself. */
  readonly set: Readonly<Record<string, RawBuilder<unknown>>>;
  readonly event: {
    readonly kind: RawBuilder<unknown>;
    /** A run, or an actor: exactly one. */
    readonly runId?: number;
    readonly actor?: string;
    /** YYYY-MM-DD */
    readonly on: string;
    readonly evidence?: RawBuilder<unknown>;
    readonly reason?: RawBuilder<unknown>;
    readonly comment?: string | null | RawBuilder<unknown>;
    readonly bulkId?: number;
  };
}

const isClosed = (status: RawBuilder<unknown>): RawBuilder<unknown> =>
  sql`${status} IN ('resolved', 'dismissed')`;

/**
 * The one statement that changes cases: locks them, changes them, writes one event for each, and keeps the tallies
 * (after its transaction, {@link enterMoves} keeps them fast).
 *
 * @returns how many cases changed, and how many of them it reopened
 */
export async function changeCases(
  tx: Transaction<DB>,
  { chosen, set, event }: Change,
): Promise<{ changed: number; reopened: number }> {
  const assignments = [
    sql`version = a.version + 1`,
    ...Object.entries(set).map(([column, value]) => sql`${sql.ref(column)} = ${value}`),
  ];
  const { rows } = await sql<{ changed: number; reopened: number }>`
    WITH chosen AS MATERIALIZED (${chosen}),
    changed AS (
      UPDATE anomalies.anomaly a SET ${sql.join(assignments)}
      FROM chosen c WHERE a.anomaly_id = c.anomaly_id
      RETURNING a.*),
    told AS (
      INSERT INTO anomalies.anomaly_event (anomaly_id, kind, run_id, actor, on_date, evidence, version, from_status,
                                           to_status, reason, comment, bulk_id, before)
      SELECT n.anomaly_id, ${event.kind}, ${event.runId ?? null}::bigint, ${event.actor ?? null}::text,
             ${event.on}::date, ${event.evidence ?? sql`NULL::jsonb`}, n.version, c.status, n.status,
             ${event.reason ?? sql`NULL`}, ${event.comment ?? null}::text, ${event.bulkId ?? null}::bigint,
             CASE WHEN ${event.actor ?? null}::text IS NOT NULL THEN jsonb_build_object(
               'owner', c.owner, 'returned_to', c.returned_to, 'due_on', c.due_on,
               'opened_on', c.opened_on, 'last_seen', c.last_seen) END
      FROM changed n JOIN chosen c USING (anomaly_id) ORDER BY n.anomaly_id),
    ${counting(sql`chosen`, sql`changed`)}
    SELECT count(*) AS changed,
           count(*) FILTER (WHERE ${isClosed(sql`c.status`)} AND NOT ${isClosed(sql`n.status`)}) AS reopened
    FROM changed n JOIN chosen c USING (anomaly_id)`.execute(tx);
  return rows[0] ?? { changed: 0, reopened: 0 };
}

/**
 * Writes new cases, one event for each, and counts them.
 *
 * @param given a SELECT of rule, subject, family, severity, status, department, division, feed, source_key, role,
 *   person_id, evidence, due_on, cause, suppressed_by
 */
export async function insertCases(
  tx: Transaction<DB>,
  given: RawBuilder<unknown>,
  { runId, on }: { readonly runId: number; readonly on: string },
): Promise<{ opened: number; suppressed: number }> {
  const { rows } = await sql<{ opened: number; suppressed: number }>`
    WITH written AS (
      INSERT INTO anomalies.anomaly (rule, subject, family, severity, status, department, division, feed, source_key,
        role, person_id, evidence, due_on, cause, suppressed_by, first_seen, last_seen, opened_on)
      SELECT g.*, ${on}::date, ${on}::date, ${on}::date FROM (${given}) g
      RETURNING *),
    told AS (
      INSERT INTO anomalies.anomaly_event (anomaly_id, kind, run_id, on_date, evidence, to_status)
      SELECT anomaly_id, CASE WHEN suppressed_by IS NULL THEN 'opened' ELSE 'suppressed' END, ${runId}::bigint,
             ${on}::date, evidence, status
      FROM written),
    ${counting(null, sql`written`)}
    SELECT count(*) FILTER (WHERE suppressed_by IS NULL) AS opened,
           count(*) FILTER (WHERE suppressed_by IS NOT NULL) AS suppressed
    FROM written`.execute(tx);
  return rows[0] ?? { opened: 0, suppressed: 0 };
}

/**
 * Takes closed cases away with all that was told of them, and out of the tallies. One that is reopened meanwhile stays.
 *
 * @param chosen a SELECT of anomaly_id
 * @returns how many
 */
export async function removeCases(tx: Transaction<DB>, chosen: RawBuilder<unknown>): Promise<number> {
  const { rows } = await sql<{ cases: number }>`
    WITH chosen AS MATERIALIZED (
      SELECT a.* FROM anomalies.anomaly a
      WHERE a.anomaly_id IN (${chosen}) AND ${isClosed(sql`a.status`)} ORDER BY a.anomaly_id FOR UPDATE),
    removed AS (
      DELETE FROM anomalies.anomaly a USING chosen c WHERE a.anomaly_id = c.anomaly_id RETURNING a.*),
    told AS (DELETE FROM anomalies.anomaly_event WHERE anomaly_id IN (SELECT anomaly_id FROM chosen)),
    lines AS (DELETE FROM anomalies.correction_line WHERE anomaly_id IN (SELECT anomaly_id FROM chosen)),
    checks AS (DELETE FROM anomalies.field_check WHERE anomaly_id IN (SELECT anomaly_id FROM chosen)),
    ${counting(sql`removed`, sql`(SELECT * FROM removed WHERE false) none`)}
    SELECT count(*) AS cases FROM removed`.execute(tx);
  return rows[0]?.cases ?? 0;
}
