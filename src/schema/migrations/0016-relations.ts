import { type Kysely, sql } from 'kysely';
import type { Migration } from 'kysely/migration';

/** Relations that tell whom a record without a number means: family, and dwellings that somebody owns or lets. */
async function up(db: Kysely<unknown>): Promise<void> {
  // A dwelling that the record says the person owns or lets; where the person lives is another matter.
  await sql`ALTER TABLE identity.mention ADD COLUMN property_code text COLLATE "C"`.execute(db);
  await sql`
    UPDATE identity.mention SET property_code = dwelling_code WHERE feed = 'housing_ownership' AND role = 'owner'`.execute(
    db,
  );
  await sql`
    UPDATE identity.mention m SET property_code = t.dwelling_code
    FROM identity.mention t
    WHERE m.feed = 'housing_lease' AND m.role = 'landlord'
      AND t.feed = m.feed AND t.source_key = m.source_key AND t.role = 'tenant'`.execute(db);
  // It has the columns of a mention in their order.
  await sql`DROP TABLE population.touched_mention`.execute(db);
  await createTouchedMention(db);

  // Of a mention without a number that a record names beside a person of its family who has one: the mentions of
  // that person's family, one of which it may be.
  await sql`
    CREATE TABLE identity.relative (
      mention_id bigint NOT NULL,
      other_id   bigint NOT NULL,
      PRIMARY KEY (mention_id, other_id)
    )`.execute(db);
  await sql`CREATE INDEX relative_by_other ON identity.relative (other_id)`.execute(db);
  await sql`CREATE INDEX mention_by_household ON identity.mention (household_code) WHERE household_code IS NOT NULL`.execute(
    db,
  );

  // A day that no calendar has says nothing of when somebody was born.
  await createFeature(db, birthUnlessKind("'impossible_birth'"), RELATIONS);
}

/** The digits of the birth date, of a number of 18 characters that is of none of these kinds. */
export function birthUnlessKind(kinds: string): string {
  return `CASE WHEN m.id_kind NOT IN (${kinds}) AND length(coalesce(m.id_number, m.id_given)) = 18
          THEN substr(coalesce(m.id_number, m.id_given), 7, 8) END`;
}

export const RELATIONS = `, m.property_code,
     CASE WHEN m.id_number IS NULL THEN (
       SELECT array_agg(n.other_id ORDER BY n.other_id) FROM identity.relative n WHERE n.mention_id = m.mention_id) END AS kin`;

async function down(db: Kysely<unknown>): Promise<void> {
  await sql`DROP VIEW identity.feature`.execute(db);
  await createFeature(
    db,
    `CASE WHEN length(coalesce(m.id_number, m.id_given)) = 18 THEN substr(coalesce(m.id_number, m.id_given), 7, 8) END`,
    '',
  );
  await sql`DROP INDEX identity.mention_by_household`.execute(db);
  await sql`DROP TABLE identity.relative, population.touched_mention`.execute(db);
  await sql`ALTER TABLE identity.mention DROP COLUMN property_code`.execute(db);
  await createTouchedMention(db);
}

/** As in 0014-touched.ts. */
async function createTouchedMention(db: Kysely<unknown>): Promise<void> {
  await sql`
    CREATE UNLOGGED TABLE population.touched_mention AS
    SELECT m.*, l.person_id FROM identity.mention m JOIN identity.link l USING (mention_id) WITH NO DATA`.execute(
    db,
  );
  await sql`CREATE INDEX touched_mention_of_record ON population.touched_mention (feed, source_key)`.execute(
    db,
  );
  await sql`CREATE INDEX touched_mention_by_person ON population.touched_mention (person_id)`.execute(db);
}

/** As in 0006-linkage.ts, but for what the number says of the birth, and the columns after those that were there. */
export async function createFeature(db: Kysely<unknown>, idBirth: string, more: string): Promise<void> {
  await sql`
    CREATE OR REPLACE VIEW identity.feature AS
    SELECT m.mention_id, m.feed, m.source_key, m.role, m.id_kind, m.id_number,
           CASE WHEN m.id_kind IN ('invalid', 'impossible_birth') THEN m.id_given END AS id_odd,
           m.name, f.pinyin, f.shape, f.pattern AS name_pattern,
           split_part(f.pinyin, ' ', 1) AS surname_pinyin,
           nullif(substr(f.pinyin, strpos(f.pinyin || ' ', ' ') + 1), '') AS given_pinyin,
           CASE WHEN m.sex IN ('1', '2') THEN m.sex END AS sex,
           to_char(m.birth_date, 'YYYYMMDD') AS birth,
           ${sql.raw(idBirth)} AS id_birth,
           t.lunar_date::text AS lunar_birth,
           m.phone, m.division, m.registered_division, m.address, m.dwelling_code, m.household_code, m.source_person
           ${sql.raw(more)}
    FROM identity.mention m
    LEFT JOIN identity.name_form f ON f.name = m.name
    LEFT JOIN reference.lunar_date t ON t.solar_date = m.birth_date
    WHERE m.active`.execute(db);
}

export const relations: Migration = { up, down };
