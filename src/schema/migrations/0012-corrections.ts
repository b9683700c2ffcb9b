import { type Kysely, sql } from 'kysely';
import type { Migration } from 'kysely/migration';

const KINDS_BEFORE = `'opened', 'reopened', 'healed', 'evidence', 'assigned', 'returned', 'resolved', 'dismissed',
  'suppressed', 'undone'`;

/** What goes out to the departments and the villages, and what they answer. */
async function up(db: Kysely<unknown>): Promise<void> {
  await sql`
    CREATE TABLE anomalies.correction (
      correction_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
      number        text COLLATE "C" NOT NULL UNIQUE,
      department    text COLLATE "C" NOT NULL,
      issued_on     date NOT NULL,
      issued_by     text NOT NULL,
      due_on        date NOT NULL
    )`.execute(db);
  // A line answers for one return of a case: a case that is returned again stands on another list.
  await sql`
    CREATE TABLE anomalies.correction_line (
      correction_id bigint NOT NULL REFERENCES anomalies.correction,
      line          integer NOT NULL,
      anomaly_id    bigint NOT NULL,
      event_id      bigint NOT NULL UNIQUE,
      due_on        date NOT NULL,
      reply         text CHECK (reply IN ('corrected', 'right_as_it_is', 'not_found', 'not_ours')),
      note          text,
      replied_by    text,
      replied_at    timestamptz,
      escalated_on  date,
      PRIMARY KEY (correction_id, line)
    )`.execute(db);
  await sql`CREATE INDEX correction_line_by_case ON anomalies.correction_line (anomaly_id)`.execute(db);
  await sql`
    CREATE INDEX correction_line_waiting ON anomalies.correction_line (due_on) WHERE escalated_on IS NULL`.execute(
    db,
  );

  await sql`
    CREATE TABLE anomalies.field_check (
      check_id    bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
      anomaly_id  bigint NOT NULL,
      village     text COLLATE "C" NOT NULL,
      question    text NOT NULL,
      asked_by    text NOT NULL,
      asked_on    date NOT NULL,
      due_on      date NOT NULL,
      answer      text CHECK (answer IN ('lives_here', 'lives_elsewhere', 'moved_away', 'nobody_knows', 'died', 'other')),
      note        text,
      answered_by text,
      answered_at timestamptz
    )`.execute(db);
  await sql`CREATE INDEX field_check_by_case ON anomalies.field_check (anomaly_id)`.execute(db);
  // One question at a time: who asks again before the village has answered asks in vain.
  await sql`
    CREATE UNIQUE INDEX field_check_open ON anomalies.field_check (village, anomaly_id) WHERE answer IS NULL`.execute(
    db,
  );

  await sql`ALTER TABLE anomalies.anomaly_event DROP CONSTRAINT anomaly_event_kind_check`.execute(db);
  await sql`
    ALTER TABLE anomalies.anomaly_event ADD CONSTRAINT anomaly_event_kind_check
      CHECK (kind IN (${sql.raw(KINDS_BEFORE)}, 'answered', 'escalated', 'field_check', 'field_answer'))`.execute(
    db,
  );
}

async function down(db: Kysely<unknown>): Promise<void> {
  await sql`
    DELETE FROM anomalies.anomaly_event WHERE kind IN ('answered', 'escalated', 'field_check', 'field_answer')`.execute(
    db,
  );
  await sql`ALTER TABLE anomalies.anomaly_event DROP CONSTRAINT anomaly_event_kind_check`.execute(db);
  await sql`
    ALTER TABLE anomalies.anomaly_event ADD CONSTRAINT anomaly_event_kind_check
      CHECK (kind IN (${sql.raw(KINDS_BEFORE)}))`.execute(db);
  await sql`DROP TABLE anomalies.field_check, anomalies.correction_line, anomalies.correction`.execute(db);
}

export const corrections: Migration = { up, down };
