import type { Warehouse } from '../../src/schema/warehouse/connect.ts';
import { FEEDS } from './disturbed.ts';

/** A delivery by what it is, not by its number. */
const delivery = (column: string): string =>
  `(SELECT concat_ws(' ', d.feed, d.business_date, d.sequence) FROM ops.delivery d WHERE d.delivery_id = ${column})`;

const MENTION = `concat_ws(' ', m.feed, m.source_key, m.role)`;

/** What a warehouse says, without ids, run numbers and times of the clock. */
const QUERIES: Record<string, string> = {
  ...Object.fromEntries(
    FEEDS.flatMap((feed) => [
      [
        feed,
        `SELECT to_jsonb(r) - 'delivery_id' AS record, ${delivery('r.delivery_id')} AS delivery FROM registry.${feed} r`,
      ],
      [
        `${feed}_history`,
        `SELECT to_jsonb(h) - 'delivery_id' - 'ended_by' AS record, ${delivery('h.delivery_id')} AS delivery,
                ${delivery('h.ended_by')} AS ended_by FROM registry.${feed}_history h`,
      ],
    ]),
  ),
  delivery: `SELECT feed, business_date, sequence, status, reason, received, accepted, rejected, new, changed, unchanged,
                    removed, released FROM ops.delivery`,
  finding: `SELECT ${delivery('f.delivery_id')} AS delivery, rule, holds, message FROM ops.gate_finding f`,
  rejected_row: `SELECT ${delivery('r.delivery_id')} AS delivery, line, source_key, field, code, message, fields::text,
                        ${delivery('r.mended_by')} AS mended_by FROM ops.rejected_row r`,
  feed_state: `SELECT feed, business_date, sha256, received, ${delivery('s.delivery_id')} AS delivery FROM ops.feed_state s`,
  mention: `SELECT to_jsonb(m) - 'mention_id' - 'changed_run' AS mention FROM identity.mention m`,
  partition: `SELECT string_agg(${MENTION} || ' ' || l.method, ', ' ORDER BY ${MENTION}) AS person
              FROM identity.link l JOIN identity.mention m USING (mention_id) GROUP BY l.person_id`,
  review: `SELECT r.kind, r.status, r.weight, (SELECT ${MENTION} FROM identity.mention m WHERE m.mention_id = r.left_mention) AS one,
                  (SELECT ${MENTION} FROM identity.mention m WHERE m.mention_id = r.right_mention) AS other
           FROM identity.review r`,
  person_event: 'SELECT kind, count(*) FROM identity.person_event GROUP BY kind',
  anomaly: `SELECT to_jsonb(a) - 'anomaly_id' - 'person_id' - 'seen_run' AS anomaly FROM anomalies.anomaly a`,
  anomaly_event: `SELECT a.rule, a.subject, e.kind, e.on_date, e.evidence
                  FROM anomalies.anomaly_event e JOIN anomalies.anomaly a USING (anomaly_id)`,
  rule_state: 'SELECT rule, as_of FROM anomalies.rule_state',
  left_over: `SELECT tablename FROM pg_tables WHERE schemaname = 'stage'`,
  open_run: `SELECT run_id FROM ops.run WHERE status = 'running'`,
};

/** Everything that a night leaves behind, table by table, in an order that depends on the contents alone. */
export async function contentsOf(warehouse: Warehouse): Promise<Record<string, string[]>> {
  const contents: Record<string, string[]> = {};
  for (const [name, query] of Object.entries(QUERIES)) {
    const { rows } = await warehouse.pool.query<Record<string, unknown>>(query);
    contents[name] = rows.map((row) => JSON.stringify(row)).sort();
  }
  return contents;
}
