import { type Kysely, sql } from 'kysely';
import type { Migration } from 'kysely/migration';

/** Whom each night touched, so that rules need look at these alone; and what mentions said before they changed. */
async function up(db: Kysely<unknown>): Promise<void> {
  // Everybody: the night touched so many, or so long ago, that they are not listed.
  await sql`
    CREATE TABLE population.touched_night (
      run_id    bigint PRIMARY KEY,
      everybody boolean NOT NULL
    )`.execute(db);
  await sql`
    CREATE TABLE population.touched_person (
      run_id    bigint NOT NULL,
      person_id bigint NOT NULL,
      PRIMARY KEY (run_id, person_id)
    )`.execute(db);

  // The mentions of those whom the last run touched: most rules read them, each many times. Should the server lose
  // them, rules gather them for themselves.
  await sql`
    CREATE UNLOGGED TABLE population.touched_mention AS
    SELECT m.*, l.person_id FROM identity.mention m JOIN identity.link l USING (mention_id) WITH NO DATA`.execute(
    db,
  );
  await sql`CREATE INDEX touched_mention_of_record ON population.touched_mention (feed, source_key)`.execute(
    db,
  );
  await sql`CREATE INDEX touched_mention_by_person ON population.touched_mention (person_id)`.execute(db);

  // A role stands in a few feeds: taken for independent, the planner expects one tenant in fifty.
  await sql`CREATE STATISTICS identity.mention_feed_role (mcv) ON feed, role FROM identity.mention`.execute(
    db,
  );

  // Few: numbers that are none.
  await sql`CREATE INDEX mention_invalid ON identity.mention (mention_id) WHERE id_kind = 'invalid'`.execute(
    db,
  );

  // By what a mention was compared with others until it changed: who was kept out of a rule by it may not be now.
  await sql`
    CREATE TABLE identity.former_mention (
      mention_id  bigint NOT NULL,
      changed_run bigint NOT NULL,
      id_number   text COLLATE "C",
      name        text,
      birth_date  date,
      phone       text COLLATE "C",
      division    text COLLATE "C"
    )`.execute(db);
  await sql`
    CREATE FUNCTION identity.keep_former_mention() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
      INSERT INTO identity.former_mention
      SELECT o.mention_id, n.changed_run, o.id_number, o.name, o.birth_date, o.phone, o.division
      FROM former o JOIN present n USING (mention_id)
      WHERE o.active AND (NOT n.active OR (o.id_number, o.name, o.birth_date, o.phone, o.division)
                          IS DISTINCT FROM (n.id_number, n.name, n.birth_date, n.phone, n.division));
      RETURN NULL;
    END $$`.execute(db);
  await sql`
    CREATE TRIGGER keep_former_mention AFTER UPDATE ON identity.mention
    REFERENCING OLD TABLE AS former NEW TABLE AS present
    FOR EACH STATEMENT EXECUTE FUNCTION identity.keep_former_mention()`.execute(db);
}

async function down(db: Kysely<unknown>): Promise<void> {
  await sql`DROP INDEX identity.mention_invalid`.execute(db);
  await sql`DROP STATISTICS identity.mention_feed_role`.execute(db);
  await sql`DROP TRIGGER keep_former_mention ON identity.mention`.execute(db);
  await sql`DROP FUNCTION identity.keep_former_mention`.execute(db);
  await sql`DROP TABLE identity.former_mention, population.touched_mention, population.touched_person, population.touched_night`.execute(
    db,
  );
}

export const touched: Migration = { up, down };
