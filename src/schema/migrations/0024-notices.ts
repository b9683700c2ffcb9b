import { type Kysely, sql } from 'kysely';
import type { Migration } from 'kysely/migration';

/** The outbox: what is to be told to people outside of popshare, once, and how far each way has come with it. */
async function up(db: Kysely<unknown>): Promise<void> {
  // `subject` names what is told, so that it is told once, whoever finds it: a second one is not written.
  await sql`
    CREATE TABLE ops.notice (
      notice_id  bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
      message_id uuid NOT NULL DEFAULT gen_random_uuid(),
      kind       text COLLATE "C" NOT NULL CHECK (kind IN
                   ('night_failed', 'night_late', 'feeds_late', 'deliveries_held', 'bulk_look_ups', 'digest')),
      subject    text COLLATE "C" NOT NULL UNIQUE,
      title      text NOT NULL,
      body       text NOT NULL,
      payload    jsonb NOT NULL,
      recipient  text,
      created_at timestamptz NOT NULL,
      routed_at  timestamptz
    )`.execute(db);
  await sql`CREATE INDEX notice_unrouted ON ops.notice (notice_id) WHERE routed_at IS NULL`.execute(db);

  // One row for each way that a notice goes: a webhook by its name, or one address of the mail server.
  await sql`
    CREATE TABLE ops.notice_dispatch (
      notice_id       bigint NOT NULL REFERENCES ops.notice ON DELETE CASCADE,
      endpoint        text COLLATE "C" NOT NULL,
      address         text COLLATE "C" NOT NULL DEFAULT '',
      attempts        integer NOT NULL DEFAULT 0,
      next_attempt_at timestamptz NOT NULL,
      sent_at         timestamptz,
      last_error      text,
      PRIMARY KEY (notice_id, endpoint, address)
    )`.execute(db);
  await sql`
    CREATE INDEX notice_dispatch_waiting ON ops.notice_dispatch (endpoint, next_attempt_at) WHERE sent_at IS NULL`.execute(
    db,
  );
}

async function down(db: Kysely<unknown>): Promise<void> {
  await sql`DROP TABLE ops.notice_dispatch, ops.notice`.execute(db);
}

export const notices: Migration = { up, down };
