import { type RawBuilder, sql, type Transaction } from 'kysely';
import type { RetentionSettings } from '../../schema/configuration/retention.ts';
import type { DB } from '../../schema/database.ts';

/** Rows of one kind that retention takes away. */
export interface Expiry {
  readonly what: string;
  /** The setting that says how long they are kept. */
  readonly setting: keyof RetentionSettings;
  /**
   * A SELECT of the keys of what may go.
   *
   * @param before YYYY-MM-DD: what is of this day or later stays
   */
  expired(before: string): RawBuilder<unknown>;
  /**
   * Takes one batch away.
   *
   * @param expired a SELECT as {@link expired} gives it, limited to a batch
   * @returns how many
   */
  remove(tx: Transaction<DB>, expired: RawBuilder<unknown>): Promise<number>;
}

/** The midnight in China with which a day begins, as a timestamptz. */
export const midnight = (day: string): RawBuilder<unknown> =>
  sql`(${day}::date::timestamp AT TIME ZONE 'Asia/Shanghai')`;

/** An open case, as rows of anomalies.anomaly `a`. */
export const IS_OPEN = sql`a.status IN ('new', 'assigned', 'returned')`;

/**
 * Deliveries, as `ops.delivery d`, whose bytes and rejected rows something still needs: they wait for a fate; the
 * registry of their feed stands at them, or was brought there by them last, so that they can be replayed; an open case
 * is about them, or came with them.
 */
export const IS_NEEDED_DELIVERY = sql`(
  d.status IN ('landed', 'held', 'failed')
  OR EXISTS (SELECT FROM ops.feed_state s WHERE s.delivery_id = d.delivery_id)
  OR d.delivery_id IN (SELECT DISTINCT ON (feed) delivery_id FROM ops.delivery WHERE status = 'applied'
                       ORDER BY feed, applied_at DESC, delivery_id DESC)
  OR EXISTS (SELECT FROM anomalies.anomaly a WHERE ${IS_OPEN} AND a.feed = d.feed
             AND (a.cause = to_char(d.business_date, 'YYYYMMDD') || '.' || d.sequence
                  OR (a.family = 'FD' AND a.source_key = to_char(d.business_date, 'YYYYMMDD')))))`;
