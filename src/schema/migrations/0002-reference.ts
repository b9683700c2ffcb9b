import { type Kysely, sql } from 'kysely';
import type { Migration } from 'kysely/migration';

/** Reference data (filled by `migrate` from src/schema/standards) and the masking of personal data. */
async function up(db: Kysely<unknown>): Promise<void> {
  await sql`CREATE SCHEMA reference`.execute(db);
  await sql`
    CREATE TABLE reference.area_code (
      code      text COLLATE "C" NOT NULL,
      name      text NOT NULL,
      level     text NOT NULL,
      from_year integer NOT NULL,
      to_year   integer,
      successors text[] NOT NULL,
      PRIMARY KEY (code, from_year)
    )`.execute(db);
  await sql`
    CREATE TABLE reference.division (
      code   text COLLATE "C" PRIMARY KEY,
      name   text NOT NULL,
      level  text NOT NULL,
      parent text COLLATE "C"
    )`.execute(db);
  // The lunar date as an integer yyyymmdd, because the lunar calendar has dates (a 30th of the second
  // month) that no solar date can write.
  await sql`
    CREATE TABLE reference.lunar_date (
      solar_date date PRIMARY KEY,
      lunar_date integer NOT NULL
    )`.execute(db);
  await sql`
    CREATE TABLE reference.loaded (
      name    text PRIMARY KEY,
      version text NOT NULL
    )`.execute(db);

  await sql`CREATE SCHEMA masking`.execute(db);
  // 620802199711110883 → 6208**********0883: enough to recognise, not enough to know the birthday.
  await sql`
    CREATE FUNCTION masking.id_number(given text) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
      SELECT CASE WHEN length(given) > 10
        THEN left(given, 4) || repeat('*', length(given) - 8) || right(given, 4)
        ELSE repeat('*', length(given)) END $$`.execute(db);
  // 王小强 → 王*强, 王强 → 王*
  await sql`
    CREATE FUNCTION masking.name(given text) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
      SELECT CASE WHEN length(given) > 2
        THEN left(given, 1) || repeat('*', length(given) - 2) || right(given, 1)
        ELSE left(given, 1) || repeat('*', length(given) - 1) END $$`.execute(db);
  await sql`
    CREATE FUNCTION masking.phone(given text) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
      SELECT CASE WHEN length(given) >= 7
        THEN left(given, 3) || repeat('*', length(given) - 7) || right(given, 4)
        ELSE repeat('*', length(given)) END $$`.execute(db);
  // A date of birth keeps its year.
  await sql`
    CREATE FUNCTION masking.birth_date(given date) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
      SELECT extract(year FROM given)::text || '-**-**' $$`.execute(db);
}

async function down(db: Kysely<unknown>): Promise<void> {
  await sql`DROP SCHEMA masking CASCADE`.execute(db);
  await sql`DROP SCHEMA reference CASCADE`.execute(db);
}

export const reference: Migration = { up, down };
