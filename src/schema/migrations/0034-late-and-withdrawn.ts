import { type Kysely, sql } from 'kysely';
import type { Migration } from 'kysely/migration';

/** What came late, and what a department was asked in vain: for those who wait, and for those who were asked. */
async function up(db: Kysely<unknown>): Promise<void> {
  // In time is what had arrived when the first night of its date came to its end; when it was read, or read again
  // after an officer's decision, does not matter.
  await sql`
    CREATE VIEW ops.timeliness AS
    WITH first_night AS (
      SELECT business_date, min(finished_at) AS ended_at FROM ops.run WHERE status = 'done' GROUP BY business_date)
    SELECT d.feed, d.department, d.business_date, min(d.arrived_at) AS arrived_at,
           coalesce(bool_or(d.arrived_at <= coalesce(n.ended_at, 'infinity')), false) AS on_time
    FROM ops.delivery d LEFT JOIN first_night n USING (business_date)
    GROUP BY d.feed, d.department, d.business_date`.execute(db);
  await sql`
    CREATE OR REPLACE VIEW reporting.scorecard AS
    WITH read AS (
      SELECT feed, department, business_date, sum(received) AS received, sum(accepted) AS accepted
      FROM ops.delivery WHERE status IN ('applied', 'unchanged', 'held') GROUP BY feed, department, business_date)
    SELECT t.department, t.feed, t.business_date,
           t.on_time::integer::double precision AS timeliness,
           r.accepted::double precision / nullif(r.received, 0) AS acceptance,
           q.valid_id::double precision / nullif(q.mentions, 0) AS valid_id,
           q.linked::double precision / nullif(q.mentions, 0) AS linked,
           q.agreeing::double precision / nullif(q.compared, 0) AS agreement,
           q.corrections_on_time::double precision / nullif(q.corrections_ended, 0) AS corrections_on_time
    FROM ops.timeliness t LEFT JOIN read r USING (feed, department, business_date)
    LEFT JOIN LATERAL (
      SELECT * FROM population.feed_quality q
      WHERE q.feed = t.feed AND q.as_of <= t.business_date ORDER BY q.as_of DESC LIMIT 1) q ON true`.execute(
    db,
  );
  // A department may answer all lines of its lists, also when a case was taken back and is not before it any more.
  await alterLines(db, `${OF_CASE} OR ${OF_OWN_LIST}`);
}

async function down(db: Kysely<unknown>): Promise<void> {
  await alterLines(db, OF_CASE);
  await sql`
    CREATE OR REPLACE VIEW reporting.scorecard AS
    WITH first_night AS (
      SELECT business_date, min(run_id) AS run_id FROM ops.run WHERE status = 'done' GROUP BY business_date),
    due AS (
      SELECT d.department, d.feed, d.business_date,
             bool_or(d.status <> 'missing' AND (n.run_id IS NULL OR d.run_id <= n.run_id)) AS on_time,
             sum(d.received) FILTER (WHERE d.status IN ('applied', 'unchanged', 'held')) AS received,
             sum(d.accepted) FILTER (WHERE d.status IN ('applied', 'unchanged', 'held')) AS accepted
      FROM ops.delivery d LEFT JOIN first_night n USING (business_date)
      GROUP BY d.department, d.feed, d.business_date)
    SELECT d.department, d.feed, d.business_date,
           d.on_time::integer::double precision AS timeliness,
           d.accepted::double precision / nullif(d.received, 0) AS acceptance,
           q.valid_id::double precision / nullif(q.mentions, 0) AS valid_id,
           q.linked::double precision / nullif(q.mentions, 0) AS linked,
           q.agreeing::double precision / nullif(q.compared, 0) AS agreement,
           q.corrections_on_time::double precision / nullif(q.corrections_ended, 0) AS corrections_on_time
    FROM due d
    LEFT JOIN LATERAL (
      SELECT * FROM population.feed_quality q
      WHERE q.feed = d.feed AND q.as_of <= d.business_date ORDER BY q.as_of DESC LIMIT 1) q ON true`.execute(
    db,
  );
  await sql`DROP VIEW ops.timeliness`.execute(db);
}

const OF_CASE = 'EXISTS (SELECT FROM anomalies.anomaly a WHERE a.anomaly_id = correction_line.anomaly_id)';
const OF_OWN_LIST = `((SELECT access.is_everywhere()) AND (SELECT access.current_department()) <> ''
  AND EXISTS (SELECT FROM anomalies.correction c WHERE c.correction_id = correction_line.correction_id))`;

async function alterLines(db: Kysely<unknown>, rows: string): Promise<void> {
  await sql`
    ALTER POLICY scope ON anomalies.correction_line USING (${sql.raw(rows)}) WITH CHECK (${sql.raw(rows)})`.execute(
    db,
  );
}

export const lateAndWithdrawn: Migration = { up, down };
