import { type Kysely, sql } from 'kysely';
import type { Migration } from 'kysely/migration';

/**
 * The audit log: who looked at whom, unmasked, decided, exported, released or changed a setting, and why.
 *
 * Entries are only ever added, by audit.append; each holds the hash of the one before it, so that a change, a gap or
 * another order shows (`popshare audit verify`). Numbers have no gaps: the head row hands them out, and an append that
 * is rolled back gives its number back.
 */
async function up(db: Kysely<unknown>): Promise<void> {
  await sql`CREATE SCHEMA audit`.execute(db);
  await sql`
    CREATE TABLE audit.entry (
      entry_id bigint PRIMARY KEY,
      at       timestamptz NOT NULL,
      actor    text NOT NULL,
      action   text NOT NULL,
      subject  text,
      purpose  text,
      detail   jsonb NOT NULL,
      hash     bytea NOT NULL
    )`.execute(db);
  await sql`CREATE INDEX entry_by_actor ON audit.entry (actor, entry_id)`.execute(db);
  await sql`CREATE INDEX entry_by_subject ON audit.entry (subject, entry_id) WHERE subject IS NOT NULL`.execute(
    db,
  );
  await sql`
    CREATE TABLE audit.head (
      only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
      entry_id bigint NOT NULL,
      hash     bytea NOT NULL
    )`.execute(db);
  await sql`INSERT INTO audit.head (entry_id, hash) VALUES (0, sha256('popshare'))`.execute(db);

  // The text of a jsonb array is the same wherever it is written: that is what is hashed, behind the hash before.
  await sql`
    CREATE FUNCTION audit.chain(before bytea, entry_id bigint, at timestamptz, actor text, action text, subject text,
                                purpose text, detail jsonb) RETURNS bytea
    LANGUAGE sql STABLE PARALLEL SAFE AS $$
      SELECT sha256(before || convert_to(jsonb_build_array(
        entry_id, to_char(at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US'), actor, action, subject, purpose, detail)::text, 'UTF8'))
    $$`.execute(db);
  // Runs with the owner's rights: whoever may call it can add an entry, and do nothing else to the log.
  await sql`
    CREATE FUNCTION audit.append(actor text, action text, subject text, purpose text, detail jsonb) RETURNS bigint
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog AS $$
    DECLARE
      latest audit.head;
      moment timestamptz := clock_timestamp();
    BEGIN
      SELECT * INTO latest FROM audit.head FOR UPDATE;
      latest.entry_id := latest.entry_id + 1;
      latest.hash := audit.chain(latest.hash, latest.entry_id, moment, actor, action, subject, purpose, detail);
      INSERT INTO audit.entry VALUES (latest.entry_id, moment, actor, action, subject, purpose, detail, latest.hash);
      UPDATE audit.head SET entry_id = latest.entry_id, hash = latest.hash;
      RETURN latest.entry_id;
    END $$`.execute(db);
  await sql`REVOKE ALL ON FUNCTION audit.append FROM PUBLIC`.execute(db);
}

async function down(db: Kysely<unknown>): Promise<void> {
  await sql`DROP SCHEMA audit CASCADE`.execute(db);
}

export const audit: Migration = { up, down };
