import { sql } from 'kysely';
import type { Warehouse } from '../../schema/warehouse/connect.ts';

/** A notice and how far one way has come with it; without an endpoint when the configuration sends it nowhere. */
export interface NoticeState {
  readonly notice_id: number;
  readonly kind: string;
  readonly subject: string;
  readonly created_at: Date;
  readonly endpoint: string | null;
  readonly attempts: number | null;
  readonly next_attempt_at: Date | null;
  readonly sent_at: Date | null;
  readonly last_error: string | null;
}

/** After so many attempts, a notice that is not through is trouble. */
const MANY_ATTEMPTS = 3;
const NOTICES = 200;

/** The latest notices, newest first. */
export async function listNotices(warehouse: Warehouse, only: 'all' | 'waiting'): Promise<NoticeState[]> {
  const { rows } = await sql<NoticeState>`
    SELECT n.notice_id, n.kind, n.subject, n.created_at, d.endpoint, d.attempts, d.next_attempt_at, d.sent_at, d.last_error
    FROM ops.notice n LEFT JOIN ops.notice_dispatch d USING (notice_id)
    WHERE ${only === 'all'} OR n.routed_at IS NULL OR (d.notice_id IS NOT NULL AND d.sent_at IS NULL)
    ORDER BY n.notice_id DESC, d.endpoint, d.address LIMIT ${NOTICES}`.execute(warehouse.db);
  return rows;
}

/** What does not get through, or what nobody sends: no scheduler is at work, or its endpoint is configured no more. */
export async function stuckNotices(
  warehouse: Warehouse,
): Promise<Pick<NoticeState, 'notice_id' | 'subject' | 'endpoint' | 'attempts' | 'last_error'>[]> {
  const { rows } = await sql<NoticeState>`
    SELECT n.notice_id, n.subject, d.endpoint, d.attempts, d.last_error
    FROM ops.notice n LEFT JOIN ops.notice_dispatch d USING (notice_id)
    WHERE (n.routed_at IS NULL AND n.created_at < now() - interval '1 hour')
       OR (d.sent_at IS NULL AND (d.attempts >= ${MANY_ATTEMPTS} OR d.next_attempt_at < now() - interval '1 hour'))
    ORDER BY n.notice_id, d.endpoint, d.address LIMIT ${NOTICES}`.execute(warehouse.db);
  return rows;
}
