import { type Kysely, sql } from 'kysely';
import type { Migration } from 'kysely/migration';

/**
 * Of those whom a night touched, who only stands in one record with somebody who changed, or shares a household: they are
 * most, and concern few rules.
 */
async function up(db: Kysely<unknown>): Promise<void> {
  // Of the nights before, it is not known: they are looked at by all rules.
  await sql`ALTER TABLE population.touched_person ADD COLUMN by_relation boolean NOT NULL DEFAULT false`.execute(
    db,
  );
  // Their mentions, beside those in population.touched_mention, with the same columns.
  await sql`CREATE UNLOGGED TABLE population.related_mention (LIKE population.touched_mention)`.execute(db);
  await sql`
    CREATE INDEX related_mention_of_record ON population.related_mention (feed, source_key)`.execute(db);
  await sql`CREATE INDEX related_mention_by_person ON population.related_mention (person_id)`.execute(db);
}

async function down(db: Kysely<unknown>): Promise<void> {
  await sql`DROP TABLE population.related_mention`.execute(db);
  await sql`ALTER TABLE population.touched_person DROP COLUMN by_relation`.execute(db);
}

export const touchedRelations: Migration = { up, down };
