import { type RawBuilder, sql } from 'kysely';
import { removeCases } from '../../anomalies/queue/change-cases.ts';
import { type Expiry, IS_NEEDED_DELIVERY, IS_OPEN, midnight } from './expiry.ts';

/** Of deliveries that arrived before; also those that no department has mended. */
const rejectedRows: Expiry = {
  what: 'rejected rows',
  setting: 'rejected_rows',
  expired: (before) => sql`
    SELECT r.rejected_row_id FROM ops.rejected_row r JOIN ops.delivery d USING (delivery_id)
    WHERE d.arrived_at < ${midnight(before)} AND NOT ${IS_NEEDED_DELIVERY}`,
  remove: async (tx, expired) => {
    const result = await sql`
      DELETE FROM ops.rejected_row WHERE rejected_row_id IN (${expired})`.execute(tx);
    return Number(result.numAffectedRows);
  },
};

/** Closed for good since before: nothing was told of them since, and nothing hides them. */
const isClosed = (before: string): RawBuilder<unknown> => sql`
  a.status IN ('resolved', 'dismissed') AND a.suppressed_by IS NULL AND a.last_seen < ${before}::date
  AND NOT EXISTS (SELECT FROM anomalies.anomaly_event e WHERE e.anomaly_id = a.anomaly_id AND e.on_date >= ${before}::date)`;

/** Cases whose data have healed. Should the finding come back, it is a new case. */
const closedCases: Expiry = {
  what: 'closed cases',
  setting: 'closed_cases',
  expired: (before) =>
    sql`SELECT a.anomaly_id FROM anomalies.anomaly a WHERE a.healed AND ${isClosed(before)}`,
  remove: removeCases,
};

/**
 * A case that a human closed on its evidence keeps the finding away for as long as that is the same: the case and
 * its last event stay, what led to it goes.
 */
const closedCaseEvents: Expiry = {
  what: 'events of cases that a decision keeps closed',
  setting: 'closed_cases',
  expired: (before) => sql`
    SELECT o.event_id FROM anomalies.anomaly a JOIN anomalies.anomaly_event o USING (anomaly_id)
    WHERE NOT a.healed AND ${isClosed(before)}
      AND EXISTS (SELECT FROM anomalies.anomaly_event l WHERE l.anomaly_id = o.anomaly_id AND l.event_id > o.event_id)`,
  remove: async (tx, expired) => {
    const { rows } = await sql<{ events: number }>`
      WITH expired AS MATERIALIZED (${expired}),
      told AS (DELETE FROM anomalies.anomaly_event WHERE event_id IN (SELECT event_id FROM expired) RETURNING 1),
      answered AS (DELETE FROM anomalies.correction_line WHERE event_id IN (SELECT event_id FROM expired))
      SELECT count(*) AS events FROM told`.execute(tx);
    return rows[0]?.events ?? 0;
  },
};

/**
 * What population/sign-kinds.ts reads of the history at any age: since when a pupil has been enrolled is told by the
 * first version of a record that stands.
 */
const IS_FIRST_ENROLMENT = sql`EXISTS (
  SELECT FROM registry.school_enrolment r WHERE r.source_key = h.source_key
  AND NOT EXISTS (SELECT FROM registry.school_enrolment_history o
                  WHERE o.source_key = h.source_key AND (o.valid_from, o.ctid) < (h.valid_from, h.ctid)))`;

/** Versions of a feed's records that ended before, but for those of records that an open case is about. */
export function recordVersions(feed: string): Expiry {
  const history = sql.id('registry', `${feed}_history`);
  const isRead = feed === 'school_enrolment' ? IS_FIRST_ENROLMENT : sql`false`;
  return {
    what: `former versions in ${feed}`,
    setting: 'registry_history',
    expired: (before) => sql`
      SELECT h.ctid FROM ${history} h
      WHERE h.valid_to < ${before}::date AND NOT ${isRead}
        AND NOT EXISTS (SELECT FROM anomalies.anomaly a
                        WHERE a.feed = ${feed} AND a.source_key = h.source_key AND ${IS_OPEN})`,
    remove: async (tx, expired) => {
      const result = await sql`DELETE FROM ${history} WHERE ctid IN (${expired})`.execute(tx);
      return Number(result.numAffectedRows);
    },
  };
}

/**
 * Mentions of records that are gone since before, unless a decision in force, an open review or an open case speaks of
 * them or of their person. A record that comes back later is a new mention.
 */
const formerMentions: Expiry = {
  what: 'mentions of records that are gone',
  setting: 'former_mentions',
  expired: (before) => sql`
    SELECT m.mention_id FROM identity.mention m JOIN ops.run r ON r.run_id = m.changed_run
    WHERE NOT m.active AND r.business_date < ${before}::date
      AND m.changed_run <= (SELECT reconciled_run FROM identity.state)
      AND m.changed_run <= (SELECT updated_run FROM population.state)
      AND NOT EXISTS (SELECT FROM identity.decision d
                      WHERE m.mention_id IN (d.left_mention, d.right_mention) AND d.lifted_at IS NULL)
      AND NOT EXISTS (SELECT FROM identity.review v
                      WHERE m.mention_id IN (v.left_mention, v.right_mention) AND v.status = 'open')
      AND NOT EXISTS (SELECT FROM anomalies.anomaly a
                      WHERE a.feed = m.feed AND a.source_key = m.source_key AND ${IS_OPEN})
      AND NOT EXISTS (SELECT FROM identity.link l JOIN anomalies.anomaly a USING (person_id)
                      WHERE l.mention_id = m.mention_id AND ${IS_OPEN})`,
  remove: async (tx, expired) => {
    const { rows } = await sql<{ mentions: number }>`
      WITH expired AS MATERIALIZED (${expired}),
      links AS (DELETE FROM identity.link WHERE mention_id IN (SELECT mention_id FROM expired)),
      former_links AS (DELETE FROM identity.former_link WHERE mention_id IN (SELECT mention_id FROM expired)),
      block_keys AS (DELETE FROM identity.block_key WHERE mention_id IN (SELECT mention_id FROM expired)),
      reviews AS (DELETE FROM identity.review WHERE left_mention IN (SELECT mention_id FROM expired)
                                                 OR right_mention IN (SELECT mention_id FROM expired)),
      mentions AS (DELETE FROM identity.mention WHERE mention_id IN (SELECT mention_id FROM expired) RETURNING 1)
      SELECT count(*) AS mentions FROM mentions`.execute(tx);
    return rows[0]?.mentions ?? 0;
  },
};

/** Sent or not: what was not sent by then is no news. */
const notices: Expiry = {
  what: 'notices',
  setting: 'notices',
  expired: (before) => sql`SELECT notice_id FROM ops.notice WHERE created_at < ${midnight(before)}`,
  remove: async (tx, expired) => {
    const result = await sql`DELETE FROM ops.notice WHERE notice_id IN (${expired})`.execute(tx);
    return Number(result.numAffectedRows);
  },
};

const sessions: Expiry = {
  what: 'sessions that have expired',
  setting: 'sessions',
  expired: (before) => sql`SELECT token_hash FROM access.session WHERE expires_at < ${midnight(before)}`,
  remove: async (tx, expired) => {
    const result = await sql`DELETE FROM access.session WHERE token_hash IN (${expired})`.execute(tx);
    return Number(result.numAffectedRows);
  },
};

/** Everything but landed files and the versions of records, in the order in which it goes. */
export const EXPIRIES: readonly Expiry[] = [
  rejectedRows,
  closedCases,
  closedCaseEvents,
  formerMentions,
  notices,
  sessions,
];
