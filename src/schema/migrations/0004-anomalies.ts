import { type Kysely, sql } from 'kysely';
import type { Migration } from 'kysely/migration';

/** One anomaly is one case: a fingerprint (rule and subject) has one row for ever; its events tell its story. */
async function up(db: Kysely<unknown>): Promise<void> {
  await sql`CREATE SCHEMA anomalies`.execute(db);
  await sql`
    CREATE TABLE anomalies.anomaly (
      anomaly_id  bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
      rule        text COLLATE "C" NOT NULL,
      subject     text COLLATE "C" NOT NULL,
      family      text COLLATE "C" NOT NULL,
      severity    text COLLATE "C" NOT NULL CHECK (severity IN ('high', 'medium', 'low', 'info')),
      status      text COLLATE "C" NOT NULL CHECK (status IN ('new', 'assigned', 'returned', 'resolved', 'dismissed')),
      department  text COLLATE "C" NOT NULL,
      division    text COLLATE "C",
      feed        text COLLATE "C",
      source_key  text COLLATE "C",
      role        text COLLATE "C",
      person_id   bigint,
      first_seen  date NOT NULL,
      last_seen   date NOT NULL,
      due_on      date,
      evidence    jsonb NOT NULL,
      healed      boolean NOT NULL DEFAULT false,
      UNIQUE (rule, subject)
    )`.execute(db);
  await sql`CREATE INDEX anomaly_of_record ON anomalies.anomaly (feed, source_key)`.execute(db);

  await sql`
    CREATE TABLE anomalies.anomaly_event (
      event_id   bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
      anomaly_id bigint NOT NULL,
      kind       text NOT NULL CHECK (kind IN ('opened', 'reopened', 'healed', 'evidence')),
      run_id     bigint NOT NULL,
      on_date    date NOT NULL,
      evidence   jsonb,
      at         timestamptz NOT NULL DEFAULT now()
    )`.execute(db);
  await sql`CREATE INDEX anomaly_event_by_anomaly ON anomalies.anomaly_event (anomaly_id, event_id)`.execute(
    db,
  );

  // What one night told; officers' events have no run.
  await sql`CREATE INDEX anomaly_event_by_run ON anomalies.anomaly_event (run_id)`.execute(db);

  // How far each rule has come, so that a record rule looks only at what changed since. A rule whose file
  // changed (another digest) starts afresh.
  await sql`
    CREATE TABLE anomalies.rule_state (
      rule        text COLLATE "C" PRIMARY KEY,
      digest      text NOT NULL,
      detected_run bigint NOT NULL,
      as_of       date NOT NULL,
      milliseconds integer NOT NULL
    )`.execute(db);
}

async function down(db: Kysely<unknown>): Promise<void> {
  await sql`DROP SCHEMA anomalies CASCADE`.execute(db);
}

export const anomalies: Migration = { up, down };
