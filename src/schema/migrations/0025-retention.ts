import { type Kysely, sql } from 'kysely';
import type { Migration } from 'kysely/migration';

const PURPOSES_BEFORE = `'nightly', 'backfill', 'release', 'refuse', 'replay', 'decision'`;

/** What purging needs: a run of its own, and a delivery whose bytes are gone says so. */
async function up(db: Kysely<unknown>): Promise<void> {
  await sql`ALTER TABLE ops.run DROP CONSTRAINT run_purpose_check`.execute(db);
  await sql`
    ALTER TABLE ops.run ADD CONSTRAINT run_purpose_check
      CHECK (purpose IN (${sql.raw(PURPOSES_BEFORE)}, 'purge'))`.execute(db);
  await sql`ALTER TABLE ops.delivery ADD COLUMN purged_on date`.execute(db);
  await sql`CREATE INDEX anomaly_closed ON anomalies.anomaly (last_seen) WHERE status IN ('resolved', 'dismissed')`.execute(
    db,
  );

  // A version is written on the day on which it ends: a block of the table holds the versions of a few days.
  const { rows } = await sql<{ tablename: string }>`
    SELECT tablename FROM pg_tables WHERE schemaname = 'registry' AND tablename LIKE '%\\_history'`.execute(
    db,
  );
  for (const { tablename } of rows)
    await sql`
      CREATE INDEX IF NOT EXISTS ${sql.id(`${tablename}_by_end`)} ON ${sql.id('registry', tablename)}
      USING brin (valid_to) WITH (autosummarize)`.execute(db);
}

async function down(db: Kysely<unknown>): Promise<void> {
  await sql`DROP INDEX anomalies.anomaly_closed`.execute(db);
  await sql`ALTER TABLE ops.delivery DROP COLUMN purged_on`.execute(db);
  await sql`DELETE FROM ops.step WHERE run_id IN (SELECT run_id FROM ops.run WHERE purpose = 'purge')`.execute(
    db,
  );
  await sql`DELETE FROM ops.run WHERE purpose = 'purge'`.execute(db);
  await sql`ALTER TABLE ops.run DROP CONSTRAINT run_purpose_check`.execute(db);
  await sql`
    ALTER TABLE ops.run ADD CONSTRAINT run_purpose_check CHECK (purpose IN (${sql.raw(PURPOSES_BEFORE)}))`.execute(
    db,
  );
}

export const retention: Migration = { up, down };
