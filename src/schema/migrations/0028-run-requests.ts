import { type Kysely, sql } from 'kysely';
import type { Migration } from 'kysely/migration';

/** Runs that somebody asked for: after a decision on a delivery, or of a night that shall be run again. */
async function up(db: Kysely<unknown>): Promise<void> {
  await sql`
    CREATE TABLE ops.run_request (
      request_id    bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
      business_date date NOT NULL,
      requested_by  text NOT NULL,
      requested_at  timestamptz NOT NULL DEFAULT now(),
      reason        text NOT NULL,
      run_id        bigint
    )`.execute(db);
  await sql`CREATE INDEX run_request_by_run ON ops.run_request (run_id)`.execute(db);
}

async function down(db: Kysely<unknown>): Promise<void> {
  await sql`DROP TABLE ops.run_request`.execute(db);
}

export const runRequests: Migration = { up, down };
