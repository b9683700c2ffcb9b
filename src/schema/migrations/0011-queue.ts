import { type Kysely, sql } from 'kysely';
import type { Migration } from 'kysely/migration';

/** The officers' queue on top of the cases: owner, due date, version, cause, suppression, and an exact tally. */
async function up(db: Kysely<unknown>): Promise<void> {
  // `lane` is the rule and the feed of its record: severity and department follow from it. Within a county, a
  // status, a lane and a due date, cases stand in the order of their ids: that is what pages of the queue walk.
  await sql`
    ALTER TABLE anomalies.anomaly
      ADD COLUMN version       integer NOT NULL DEFAULT 1,
      ADD COLUMN opened_on     date,
      ADD COLUMN owner         text COLLATE "C",
      ADD COLUMN returned_to   text COLLATE "C",
      ADD COLUMN cause         text COLLATE "C",
      ADD COLUMN suppressed_by bigint,
      ADD COLUMN lane   text COLLATE "C" NOT NULL GENERATED ALWAYS AS (rule || ' ' || coalesce(feed, '')) STORED,
      ADD COLUMN county text COLLATE "C" NOT NULL GENERATED ALWAYS AS (coalesce(left(division, 6), '')) STORED,
      ADD COLUMN town   text COLLATE "C" NOT NULL GENERATED ALWAYS AS (coalesce(left(division, 9), '')) STORED,
      ADD CONSTRAINT assigned_to_somebody CHECK (status <> 'assigned' OR owner IS NOT NULL),
      ADD CONSTRAINT new_is_nobodys CHECK (status <> 'new' OR owner IS NULL),
      ADD CONSTRAINT returned_to_a_department CHECK ((status = 'returned') = (returned_to IS NOT NULL)),
      ADD CONSTRAINT suppressed_is_dismissed CHECK (suppressed_by IS NULL OR status = 'dismissed')`.execute(
    db,
  );
  // Cases of before had no owner and no deadline: those that are open are due in a month.
  await sql`
    UPDATE anomalies.anomaly
    SET opened_on = first_seen, due_on = CASE WHEN severity <> 'info' THEN coalesce(due_on, current_date + 30) END`.execute(
    db,
  );
  await sql`
    ALTER TABLE anomalies.anomaly
      ALTER COLUMN opened_on SET NOT NULL,
      ADD CONSTRAINT queued_is_due CHECK ((severity = 'info') = (due_on IS NULL))`.execute(db);
  await sql`
    CREATE INDEX anomaly_by_lane ON anomalies.anomaly (county, status, lane, due_on, anomaly_id) INCLUDE (cause)
      WHERE severity <> 'info'`.execute(db);
  await sql`
    CREATE INDEX anomaly_by_town ON anomalies.anomaly (town, status, lane, due_on, anomaly_id)
      INCLUDE (county, division, owner, cause) WHERE severity <> 'info'`.execute(db);
  await sql`
    CREATE INDEX anomaly_by_owner ON anomalies.anomaly (owner, status, lane, due_on, anomaly_id)
      INCLUDE (county, town, division, cause) WHERE owner IS NOT NULL AND severity <> 'info'`.execute(db);
  await sql`CREATE INDEX anomaly_by_person ON anomalies.anomaly (person_id) WHERE person_id IS NOT NULL`.execute(
    db,
  );
  await sql`CREATE INDEX anomaly_suppressed ON anomalies.anomaly (suppressed_by) WHERE suppressed_by IS NOT NULL`.execute(
    db,
  );

  // The version is the one that the event made. `before` is what undoing brings back.
  await sql`ALTER TABLE anomalies.anomaly_event DROP CONSTRAINT anomaly_event_kind_check`.execute(db);
  await sql`
    ALTER TABLE anomalies.anomaly_event
      ALTER COLUMN run_id DROP NOT NULL,
      ADD CONSTRAINT anomaly_event_kind_check CHECK (kind IN ('opened', 'reopened', 'healed', 'evidence',
        'assigned', 'returned', 'resolved', 'dismissed', 'suppressed', 'undone')),
      ADD COLUMN version     integer NOT NULL DEFAULT 1,
      ADD COLUMN actor       text,
      ADD COLUMN from_status text COLLATE "C",
      ADD COLUMN to_status   text COLLATE "C" NOT NULL DEFAULT 'new',
      ADD COLUMN reason      text COLLATE "C",
      ADD COLUMN comment     text,
      ADD COLUMN bulk_id     bigint,
      ADD COLUMN before      jsonb,
      ADD CONSTRAINT told_by_a_run_or_somebody CHECK (num_nonnulls(run_id, actor) = 1)`.execute(db);
  await sql`UPDATE anomalies.anomaly_event SET to_status = 'resolved' WHERE kind = 'healed'`.execute(db);
  await sql`ALTER TABLE anomalies.anomaly_event ALTER COLUMN to_status DROP DEFAULT`.execute(db);
  await sql`CREATE INDEX anomaly_event_by_bulk ON anomalies.anomaly_event (bulk_id) WHERE bulk_id IS NOT NULL`.execute(
    db,
  );

  // How many cases there are, as differences: writers only add rows, so that nobody waits for anybody, and what a
  // snapshot sees of them sums to the cases that it sees. The night folds them together. Three tallies, because most
  // questions are small: how many of each kind; how many are due when, of what is queued; how many open ones one
  // delivery brought.
  await sql`
    CREATE TABLE anomalies.tally (
      rule       text COLLATE "C" NOT NULL,
      feed       text COLLATE "C",
      department text COLLATE "C" NOT NULL,
      severity   text COLLATE "C" NOT NULL,
      status     text COLLATE "C" NOT NULL,
      county     text COLLATE "C" NOT NULL,
      cases      integer NOT NULL,
      lane       text COLLATE "C" NOT NULL GENERATED ALWAYS AS (rule || ' ' || coalesce(feed, '')) STORED
    )`.execute(db);
  // Columns of one width come first: what counts days reads no others. Most rows are of closed cases, and get more
  // with the years; most questions are about open ones, which have an index that answers alone.
  await sql`
    CREATE TABLE anomalies.tally_due (
      due_on     date NOT NULL,
      cases      integer NOT NULL,
      priority   smallint NOT NULL
        GENERATED ALWAYS AS (CASE severity WHEN 'high' THEN 1 WHEN 'medium' THEN 2 ELSE 3 END) STORED,
      severity   text COLLATE "C" NOT NULL,
      status     text COLLATE "C" NOT NULL,
      rule       text COLLATE "C" NOT NULL,
      feed       text COLLATE "C",
      department text COLLATE "C" NOT NULL,
      county     text COLLATE "C" NOT NULL,
      cause      text COLLATE "C",
      lane       text COLLATE "C" NOT NULL GENERATED ALWAYS AS (rule || ' ' || coalesce(feed, '')) STORED
    )`.execute(db);
  await sql`
    CREATE INDEX tally_due_open ON anomalies.tally_due (priority, due_on)
      INCLUDE (cases, severity, status, rule, feed, department, county, cause, lane)
      WHERE status IN ('new', 'assigned', 'returned')`.execute(db);
  await sql`CREATE INDEX tally_due_by_day ON anomalies.tally_due (priority, due_on)`.execute(db);
  await sql`CREATE INDEX tally_due_by_cause ON anomalies.tally_due (lane, cause)`.execute(db);
  await sql`
    CREATE TABLE anomalies.tally_group (
      rule  text COLLATE "C" NOT NULL,
      feed  text COLLATE "C" NOT NULL,
      cause text COLLATE "C" NOT NULL,
      cases integer NOT NULL
    )`.execute(db);

  // Cases of before have no cause, and so no group.
  await sql`
    INSERT INTO anomalies.tally (rule, feed, department, severity, status, county, cases)
    SELECT rule, feed, department, severity, status, county, count(*)
    FROM anomalies.anomaly GROUP BY 1, 2, 3, 4, 5, 6`.execute(db);
  await sql`
    INSERT INTO anomalies.tally_due (rule, feed, department, severity, status, county, due_on, cases)
    SELECT rule, feed, department, severity, status, county, due_on, count(*)
    FROM anomalies.anomaly WHERE severity <> 'info' GROUP BY 1, 2, 3, 4, 5, 6, 7`.execute(db);

  await sql`
    CREATE TABLE anomalies.bulk_action (
      bulk_id   bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
      action    text NOT NULL,
      filter    jsonb NOT NULL,
      actor     text NOT NULL,
      reason    text NOT NULL,
      comment   text,
      cases     integer NOT NULL DEFAULT 0,
      at        timestamptz NOT NULL DEFAULT now(),
      undone_by text,
      undone_at timestamptz
    )`.execute(db);

  // What is not to be brought before an officer until a day, that day included.
  await sql`
    CREATE TABLE anomalies.suppression (
      suppression_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
      rule       text COLLATE "C" NOT NULL,
      subject    text COLLATE "C",
      person_id  bigint,
      feed       text COLLATE "C",
      division   text COLLATE "C",
      until      date NOT NULL,
      actor      text NOT NULL,
      reason     text COLLATE "C" NOT NULL,
      comment    text NOT NULL,
      at         timestamptz NOT NULL DEFAULT now(),
      lifted_by  text,
      lifted_at  timestamptz,
      CHECK (num_nonnulls(subject, person_id, coalesce(feed, division)) = 1)
    )`.execute(db);

  // The runs whose night has begun upon the cases (src/anomalies/queue/night.ts).
  await sql`CREATE TABLE anomalies.night (run_id bigint PRIMARY KEY)`.execute(db);
}

async function down(db: Kysely<unknown>): Promise<void> {
  await sql`
    DROP TABLE anomalies.night, anomalies.suppression, anomalies.bulk_action, anomalies.tally, anomalies.tally_due,
      anomalies.tally_group`.execute(db);
  await sql`DELETE FROM anomalies.anomaly_event WHERE run_id IS NULL OR kind = 'suppressed'`.execute(db);
  await sql`
    ALTER TABLE anomalies.anomaly_event
      DROP CONSTRAINT anomaly_event_kind_check, DROP CONSTRAINT told_by_a_run_or_somebody,
      ADD CONSTRAINT anomaly_event_kind_check CHECK (kind IN ('opened', 'reopened', 'healed', 'evidence')),
      ALTER COLUMN run_id SET NOT NULL,
      DROP COLUMN version, DROP COLUMN actor, DROP COLUMN from_status, DROP COLUMN to_status, DROP COLUMN reason,
      DROP COLUMN comment, DROP COLUMN bulk_id, DROP COLUMN before`.execute(db);
  await sql`
    ALTER TABLE anomalies.anomaly
      DROP COLUMN version, DROP COLUMN opened_on, DROP COLUMN owner, DROP COLUMN returned_to, DROP COLUMN cause,
      DROP COLUMN suppressed_by, DROP COLUMN lane, DROP COLUMN county, DROP COLUMN town,
      DROP CONSTRAINT queued_is_due`.execute(db);
}

export const queue: Migration = { up, down };
