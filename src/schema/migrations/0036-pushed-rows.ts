import { type Kysely, sql } from 'kysely';
import type { Migration } from 'kysely/migration';

/** Rows that departments push. Each push waits for the next night, which lands it as a delivery of its own. */
async function up(db: Kysely<unknown>): Promise<void> {
  // Of a key and a body only digests are kept: what senders call their requests is theirs. The answer to a push is made
  // of this row alone, so that whoever asks again hears the same.
  await sql`
    CREATE TABLE ops.push (
      push_id     bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
      feed        text COLLATE "C" NOT NULL,
      key_digest  text COLLATE "C" NOT NULL,
      body_digest text COLLATE "C" NOT NULL,
      rows        integer NOT NULL CHECK (rows > 0),
      stored_path text NOT NULL,
      sha256      text NOT NULL,
      pushed_by   text NOT NULL,
      received_at timestamptz NOT NULL DEFAULT now(),
      delivery_id bigint UNIQUE REFERENCES ops.delivery,
      UNIQUE (feed, key_digest)
    )`.execute(db);
  await sql`CREATE INDEX push_waiting ON ops.push (feed, push_id) WHERE delivery_id IS NULL`.execute(db);
}

async function down(db: Kysely<unknown>): Promise<void> {
  await sql`DROP TABLE ops.push`.execute(db);
}

export const pushedRows: Migration = { up, down };
