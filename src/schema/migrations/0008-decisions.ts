import { type Kysely, sql } from 'kysely';
import type { Migration } from 'kysely/migration';

/** What human decisions on identity need: a run of their own, a reason for lifting, and the way back to old ids. */
async function up(db: Kysely<unknown>): Promise<void> {
  await sql`ALTER TABLE ops.run DROP CONSTRAINT run_purpose_check`.execute(db);
  await sql`
    ALTER TABLE ops.run ADD CONSTRAINT run_purpose_check
      CHECK (purpose IN ('nightly', 'backfill', 'release', 'refuse', 'replay', 'decision'))`.execute(db);
  await sql`ALTER TABLE identity.decision ADD COLUMN lifted_reason text`.execute(db);
  await sql`CREATE INDEX decision_by_right ON identity.decision (right_mention) WHERE lifted_at IS NULL`.execute(
    db,
  );

  // Which mentions a person had when it was merged away, and since which run: when they come apart again, the
  // side of the oldest gets the person's id back.
  await sql`
    CREATE TABLE identity.former_link (
      mention_id bigint NOT NULL,
      person_id  bigint NOT NULL,
      linked_run bigint NOT NULL,
      PRIMARY KEY (mention_id, person_id)
    )`.execute(db);
  await sql`CREATE INDEX former_link_by_person ON identity.former_link (person_id)`.execute(db);
}

async function down(db: Kysely<unknown>): Promise<void> {
  await sql`DROP TABLE identity.former_link`.execute(db);
  await sql`DROP INDEX identity.decision_by_right`.execute(db);
  await sql`ALTER TABLE identity.decision DROP COLUMN lifted_reason`.execute(db);
  await sql`ALTER TABLE ops.run DROP CONSTRAINT run_purpose_check`.execute(db);
  await sql`DELETE FROM ops.step WHERE run_id IN (SELECT run_id FROM ops.run WHERE purpose = 'decision')`.execute(
    db,
  );
  await sql`
    DELETE FROM ops.feed_link_share WHERE run_id IN (SELECT run_id FROM ops.run WHERE purpose = 'decision')`.execute(
    db,
  );
  await sql`DELETE FROM ops.run WHERE purpose = 'decision'`.execute(db);
  await sql`
    ALTER TABLE ops.run ADD CONSTRAINT run_purpose_check
      CHECK (purpose IN ('nightly', 'backfill', 'release', 'refuse', 'replay'))`.execute(db);
}

export const decisions: Migration = { up, down };
