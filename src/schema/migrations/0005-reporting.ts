import { type Kysely, sql } from 'kysely';
import type { Migration } from 'kysely/migration';

/**
 * The views of INTERFACE.md, read by role popshare_reader, which can read nothing else: a view runs with its
 * owner's rights, so the reader needs no right on the tables below.
 */
async function up(db: Kysely<unknown>): Promise<void> {
  await sql`CREATE SCHEMA reporting`.execute(db);
  await sql`
    CREATE VIEW reporting.run AS
    SELECT run_id, business_date, status, started_at, finished_at FROM ops.run`.execute(db);
  await sql`
    CREATE VIEW reporting.delivery AS
    SELECT delivery_id, business_date, department, feed, status, reason,
           received, accepted, rejected, new, changed, unchanged, removed, arrived_at, applied_at
    FROM ops.delivery`.execute(db);
  await sql`
    CREATE VIEW reporting.rejected_row AS
    SELECT delivery_id, feed, line, field, code, message FROM ops.rejected_row WHERE mended_by IS NULL`.execute(
    db,
  );
  await sql`
    CREATE VIEW reporting.link AS
    SELECT m.feed, m.source_key, m.role, l.person_id, l.method, l.weight, l.linked_at
    FROM identity.mention m JOIN identity.link l USING (mention_id)
    WHERE m.active`.execute(db);
  await sql`
    CREATE VIEW reporting.person_event AS
    SELECT event_id, kind, person_id, other_person_id, run_id, at FROM identity.person_event`.execute(db);
  // An open case is seen as often as its rule is evaluated; saying so once for the rule spares a write per case.
  await sql`
    CREATE VIEW reporting.anomaly AS
    SELECT a.anomaly_id, a.rule, a.family, a.severity, a.status, a.department, a.division, a.feed, a.source_key,
           a.person_id, a.first_seen,
           CASE WHEN a.status IN ('resolved', 'dismissed') THEN a.last_seen ELSE greatest(a.last_seen, s.as_of) END AS last_seen,
           a.due_on, a.evidence
    FROM anomalies.anomaly a LEFT JOIN anomalies.rule_state s USING (rule)`.execute(db);

  // Roles belong to the server, not to the database: another database, or another migration at the same
  // time, may have made it already.
  await sql`
    DO $$ BEGIN
      CREATE ROLE popshare_reader NOLOGIN;
    EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL;
    END $$`.execute(db);
  await sql`GRANT USAGE ON SCHEMA reporting TO popshare_reader`.execute(db);
  await sql`GRANT SELECT ON ALL TABLES IN SCHEMA reporting TO popshare_reader`.execute(db);
  await sql`ALTER DEFAULT PRIVILEGES IN SCHEMA reporting GRANT SELECT ON TABLES TO popshare_reader`.execute(
    db,
  );
}

async function down(db: Kysely<unknown>): Promise<void> {
  await sql`ALTER DEFAULT PRIVILEGES IN SCHEMA reporting REVOKE SELECT ON TABLES FROM popshare_reader`.execute(
    db,
  );
  await sql`DROP SCHEMA reporting CASCADE`.execute(db);
}

export const reporting: Migration = { up, down };
