import { type Kysely, sql } from 'kysely';
import type { Migration } from 'kysely/migration';

/** What many rules ask of the whole county, kept by the nightly picture: who is dead, and where the register has persons. */
async function up(db: Kysely<unknown>): Promise<void> {
  // Of each dead person the first death registration, and the household registration that was cancelled on death.
  await sql`
    CREATE TABLE population.death (
      person_id        bigint PRIMARY KEY,
      died_on          date,
      death_record     text COLLATE "C",
      cancelled_on     date,
      household_record text COLLATE "C"
    )`.execute(db);
  await sql`CREATE INDEX death_by_died_on ON population.death (died_on)`.execute(db);

  await sql`
    CREATE TABLE population.register_division (
      division text COLLATE "C" PRIMARY KEY,
      records  integer NOT NULL
    )`.execute(db);

  // The next picture is of everybody, and fills both.
  await sql`UPDATE population.state SET updated_run = 0`.execute(db);
}

async function down(db: Kysely<unknown>): Promise<void> {
  // Those that src/population/lookups.ts makes after the first load.
  await sql`
    DROP INDEX IF EXISTS identity.mention_by_birth_date, identity.mention_by_phone, identity.mention_by_division,
      identity.mention_by_number_birth, identity.mention_unreadable,
      identity.mention_placeless, population.sign_by_until, population.standing_by_birth_date`.execute(db);
  await sql`DROP TABLE population.register_division, population.death`.execute(db);
}

export const death: Migration = { up, down };
