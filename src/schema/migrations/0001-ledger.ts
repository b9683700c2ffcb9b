import { type Kysely, sql } from 'kysely';
import type { Migration } from 'kysely/migration';

/**
 * The ledger: Postgres owns the truth of a run. A run is one attempt at a business date; its id is also its
 * fencing token, so a worker whose run id is no longer the largest cannot commit.
 */
async function up(db: Kysely<unknown>): Promise<void> {
  await sql`CREATE SCHEMA ops`.execute(db);
  await sql`CREATE SCHEMA registry`.execute(db);
  await sql`CREATE SCHEMA stage`.execute(db);

  await sql`
    CREATE TABLE ops.run (
      run_id        bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
      business_date date NOT NULL,
      purpose       text NOT NULL CHECK (purpose IN ('nightly', 'backfill', 'release', 'refuse', 'replay')),
      status        text NOT NULL CHECK (status IN ('running', 'done', 'failed', 'interrupted')),
      started_at    timestamptz NOT NULL DEFAULT now(),
      finished_at   timestamptz,
      heartbeat_at  timestamptz NOT NULL DEFAULT now(),
      summary       jsonb
    )`.execute(db);
  await sql`CREATE INDEX run_by_date ON ops.run (business_date, run_id)`.execute(db);

  // One row: the run that may commit. A commit holds it FOR SHARE, so a successor waits for commits under way,
  // and whatever the predecessor tries later is refused.
  await sql`
    CREATE TABLE ops.fence (
      only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
      run_id   bigint NOT NULL
    )`.execute(db);
  await sql`INSERT INTO ops.fence (run_id) VALUES (0)`.execute(db);

  await sql`
    CREATE TABLE ops.step (
      step_id     bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
      run_id      bigint NOT NULL REFERENCES ops.run,
      name        text NOT NULL,
      subject     text NOT NULL DEFAULT '',
      status      text NOT NULL CHECK (status IN ('running', 'done', 'failed')),
      started_at  timestamptz NOT NULL DEFAULT clock_timestamp(),
      finished_at timestamptz,
      message     text,
      UNIQUE (run_id, name, subject)
    )`.execute(db);

  // A row is one arrival of a feed for a business date; `missing` is an arrival that did not come, and its
  // row is taken over by the file when that comes after all.
  await sql`
    CREATE TABLE ops.delivery (
      delivery_id   bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
      feed          text NOT NULL,
      department    text NOT NULL,
      business_date date NOT NULL,
      sequence      integer NOT NULL,
      run_id        bigint NOT NULL REFERENCES ops.run,
      status        text NOT NULL CHECK (status IN
                      ('landed', 'applied', 'unchanged', 'held', 'missing', 'refused', 'failed')),
      reason        text,
      source_name   text,
      landed_path   text,
      sha256        text,
      bytes         bigint,
      control       jsonb,
      encoding      text,
      header        jsonb,
      received      integer,
      accepted      integer,
      rejected      integer,
      new           integer,
      changed       integer,
      unchanged     integer,
      removed       integer,
      released      boolean NOT NULL DEFAULT false,
      arrived_at    timestamptz,
      applied_at    timestamptz,
      milliseconds  integer,
      UNIQUE (feed, business_date, sequence),
      CONSTRAINT received_is_accepted_and_rejected CHECK (status <> 'applied' OR received = accepted + rejected),
      CONSTRAINT accepted_is_new_changed_unchanged CHECK (status <> 'applied' OR accepted = new + changed + unchanged)
    )`.execute(db);
  await sql`CREATE INDEX delivery_by_date ON ops.delivery (business_date, feed)`.execute(db);
  await sql`CREATE INDEX delivery_by_digest ON ops.delivery (feed, sha256)`.execute(db);

  await sql`
    CREATE TABLE ops.gate_finding (
      delivery_id bigint NOT NULL REFERENCES ops.delivery,
      rule        text NOT NULL,
      holds       boolean NOT NULL,
      message     text NOT NULL,
      evidence    jsonb NOT NULL,
      PRIMARY KEY (delivery_id, rule)
    )`.execute(db);

  await sql`
    CREATE TABLE ops.delivery_decision (
      decision_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
      delivery_id bigint NOT NULL REFERENCES ops.delivery,
      decision    text NOT NULL CHECK (decision IN ('release', 'refuse', 'replay', 'supersede')),
      reason      text NOT NULL,
      decided_by  text NOT NULL,
      decided_at  timestamptz NOT NULL DEFAULT now()
    )`.execute(db);

  // `fields` is json, not jsonb or text[]: it keeps bytes that are no text (as lone surrogates) and NULs.
  await sql`
    CREATE TABLE ops.rejected_row (
      rejected_row_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
      delivery_id     bigint NOT NULL REFERENCES ops.delivery,
      feed            text NOT NULL,
      line            integer NOT NULL,
      source_key      text COLLATE "C",
      field           text,
      code            text NOT NULL,
      message         text NOT NULL,
      fields          json NOT NULL,
      mended_by       bigint REFERENCES ops.delivery
    )`.execute(db);
  await sql`CREATE INDEX rejected_row_by_delivery ON ops.rejected_row (delivery_id, line)`.execute(db);
  await sql`CREATE INDEX rejected_row_open ON ops.rejected_row (feed, source_key) WHERE mended_by IS NULL`.execute(
    db,
  );

  // What stands in the registry of a feed: the delivery applied last, and how many rows it had.
  await sql`
    CREATE TABLE ops.feed_state (
      feed          text PRIMARY KEY,
      delivery_id   bigint NOT NULL REFERENCES ops.delivery,
      business_date date NOT NULL,
      sha256        text NOT NULL,
      received      integer NOT NULL
    )`.execute(db);
}

async function down(db: Kysely<unknown>): Promise<void> {
  await sql`DROP SCHEMA stage CASCADE`.execute(db);
  await sql`DROP SCHEMA registry CASCADE`.execute(db);
  await sql`DROP SCHEMA ops CASCADE`.execute(db);
}

export const ledger: Migration = { up, down };
