import { type Kysely, sql } from 'kysely';
import type { Migration } from 'kysely/migration';

/** Who lives here: signs of life, their weights, the residency index, residence with its history, the estimates. */
async function up(db: Kysely<unknown>): Promise<void> {
  await sql`CREATE SCHEMA population`.execute(db);

  // How far the picture has come: what later runs changed, and deliveries applied later, are not in it yet.
  await sql`
    CREATE TABLE population.state (
      only_row    boolean PRIMARY KEY DEFAULT true CHECK (only_row),
      updated_run bigint NOT NULL,
      updated_at  timestamptz,
      as_of       date
    )`.execute(db);
  await sql`INSERT INTO population.state (updated_run) VALUES (0)`.execute(db);
  await sql`CREATE INDEX person_event_by_run ON identity.person_event (run_id)`.execute(db);

  // What the registers say of a living person, as far as residence rests on it.
  await sql`
    CREATE TABLE population.standing (
      person_id           bigint PRIMARY KEY,
      birth_date          date,
      sex                 text COLLATE "C",
      registered_key      text COLLATE "C",
      registered_division text COLLATE "C",
      household_number    text COLLATE "C",
      moved_in_on         date,
      left_on             date,
      left_key            text COLLATE "C",
      revisit_on          date
    )`.execute(db);
  await sql`CREATE INDEX standing_by_household ON population.standing (household_number)`.execute(db);
  await sql`CREATE INDEX standing_by_revisit ON population.standing (revisit_on)`.execute(db);

  await sql`
    CREATE TABLE population.sign (
      person_id  bigint NOT NULL,
      kind       text COLLATE "C" NOT NULL,
      feed       text COLLATE "C" NOT NULL,
      source_key text COLLATE "C" NOT NULL,
      since      date NOT NULL,
      until      date,
      division   text COLLATE "C",
      PRIMARY KEY (person_id, kind, source_key)
    )`.execute(db);

  await sql`
    CREATE TABLE population.sign_weight (
      kind        text COLLATE "C" PRIMARY KEY,
      weight      double precision NOT NULL CHECK (weight BETWEEN 0 AND 1),
      informative boolean NOT NULL,
      as_of       date NOT NULL,
      occurrences integer NOT NULL,
      given_sign  double precision,
      expected    double precision
    )`.execute(db);

  await sql`
    CREATE TABLE identity.residency (
      person_id bigint PRIMARY KEY,
      index     double precision NOT NULL CHECK (index BETWEEN 0 AND 1),
      as_of     date NOT NULL,
      signs     jsonb NOT NULL
    )`.execute(db);

  await sql`
    CREATE TABLE population.residence (
      person_id           bigint NOT NULL,
      since               date NOT NULL,
      until               date CHECK (until > since),
      registered_division text COLLATE "C",
      living_division     text COLLATE "C",
      category            text COLLATE "C" NOT NULL
                            CHECK (category IN ('local', 'separated', 'in_migrant', 'out_migrant')),
      evidence            jsonb NOT NULL,
      recorded_run        bigint NOT NULL,
      PRIMARY KEY (person_id, since)
    )`.execute(db);
  await sql`CREATE UNIQUE INDEX residence_now ON population.residence (person_id) WHERE until IS NULL`.execute(
    db,
  );
  await sql`
    CREATE FUNCTION population.residence_on(on_date date) RETURNS SETOF population.residence
    LANGUAGE sql STABLE ROWS 1000000 AS $$
      SELECT * FROM population.residence WHERE since <= on_date AND (until IS NULL OR on_date < until)
    $$`.execute(db);

  await sql`
    CREATE TABLE population.residence_count (
      division  text COLLATE "C" NOT NULL,
      category  text COLLATE "C" NOT NULL,
      sex       text COLLATE "C" NOT NULL,
      age_group text COLLATE "C" NOT NULL,
      persons   integer NOT NULL,
      PRIMARY KEY (division, category, sex, age_group)
    )`.execute(db);
  await sql`
    CREATE VIEW reporting.residence AS
    SELECT division, category, sex, age_group, persons FROM population.residence_count`.execute(db);
  await sql`GRANT SELECT ON reporting.residence TO popshare_reader`.execute(db);

  await sql`
    CREATE TABLE population.resident_estimate (
      as_of          date PRIMARY KEY,
      identified     integer NOT NULL,
      registered     integer NOT NULL,
      dual_system    double precision NOT NULL,
      standard_error double precision NOT NULL,
      strata         jsonb NOT NULL,
      recorded_run   bigint NOT NULL
    )`.execute(db);
}

async function down(db: Kysely<unknown>): Promise<void> {
  await sql`DROP VIEW reporting.residence`.execute(db);
  await sql`DROP SCHEMA population CASCADE`.execute(db);
  await sql`DROP TABLE identity.residency`.execute(db);
  await sql`DROP INDEX identity.person_event_by_run`.execute(db);
}

export const population: Migration = { up, down };
