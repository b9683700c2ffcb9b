import { sql } from 'kysely';
import type { Queryable } from '../../schema/warehouse/connect.ts';

/** The open questions to one village. */
export interface VillageChecks {
  /** 12 digits */
  readonly village: string;
  readonly checks: number;
  /** YYYY-MM-DD: the earliest deadline. */
  readonly due_on: string;
}

/** Open questions by village. */
export async function openByVillage({ db }: Queryable): Promise<VillageChecks[]> {
  const { rows } = await sql<VillageChecks>`
    SELECT village, count(*) AS checks, min(due_on) AS due_on FROM anomalies.field_check
    WHERE answer IS NULL GROUP BY village ORDER BY village`.execute(db);
  return rows;
}

/** A question to a village, and its answer. */
export interface FieldCheck {
  readonly check_id: number;
  readonly anomaly_id: number;
  readonly village: string;
  readonly question: string;
  readonly asked_by: string;
  readonly asked_on: string;
  readonly due_on: string;
  readonly answer: string | null;
  readonly note: string | null;
  readonly answered_by: string | null;
  readonly answered_at: Date | null;
}

/**
 * Field checks, newest first.
 *
 * @param page `village`, `caseId`: only of these; `open`: only what waits for an answer; `after`: the number of the last
 *   check of the page before
 */
export async function listFieldChecks(
  { db }: Queryable,
  page: {
    readonly village: string | undefined;
    readonly caseId: number | undefined;
    readonly open: boolean;
    readonly after: number | null;
    readonly limit: number;
  },
): Promise<FieldCheck[]> {
  const conditions = [sql`(NOT ${page.open} OR answer IS NULL)`];
  if (page.village !== undefined) conditions.push(sql`village = ${page.village}`);
  if (page.caseId !== undefined) conditions.push(sql`anomaly_id = ${page.caseId}`);
  if (page.after !== null) conditions.push(sql`check_id < ${page.after}`);
  const { rows } = await sql<FieldCheck>`
    SELECT check_id, anomaly_id, village, question, asked_by, asked_on, due_on, answer, note, answered_by, answered_at
    FROM anomalies.field_check WHERE ${sql.join(conditions, sql` AND `)}
    ORDER BY check_id DESC LIMIT ${page.limit}`.execute(db);
  return rows;
}
