import { type Kysely, sql } from 'kysely';
import type { Migration } from 'kysely/migration';

/** What share of a feed's mentions was linked, run by run, so that a fall can be seen (rule FD06). */
async function up(db: Kysely<unknown>): Promise<void> {
  await sql`
    CREATE TABLE ops.feed_link_share (
      run_id        bigint NOT NULL REFERENCES ops.run,
      business_date date NOT NULL,
      feed          text COLLATE "C" NOT NULL,
      mentions      integer NOT NULL,
      linked        integer NOT NULL,
      PRIMARY KEY (feed, run_id)
    )`.execute(db);
}

async function down(db: Kysely<unknown>): Promise<void> {
  await sql`DROP TABLE ops.feed_link_share`.execute(db);
}

export const linkShare: Migration = { up, down };
