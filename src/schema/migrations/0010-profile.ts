import { type Kysely, sql } from 'kysely';
import type { Migration } from 'kysely/migration';

/** Who each person is by the best of what is recorded, in which dwelling and household, and whose relative. */
async function up(db: Kysely<unknown>): Promise<void> {
  await createProfiles(db);
  await createDwellings(db);
  await createHouseholds(db);
}

async function createProfiles(db: Kysely<unknown>): Promise<void> {
  // Most values of a person come from one feed: `source`. Only those that do not are in `other_sources`
  // (attribute → feed); it is null where there are none.
  await sql`
    CREATE TABLE population.person (
      person_id           bigint PRIMARY KEY,
      id_number           text COLLATE "C",
      name                text COLLATE "C",
      sex                 text COLLATE "C",
      birth_date          date,
      death_date          date,
      phone               text COLLATE "C",
      marital_status      text COLLATE "C",
      registered_division text COLLATE "C",
      registered_address  text COLLATE "C",
      household_code      text COLLATE "C",
      is_local            boolean NOT NULL,
      source              text COLLATE "C" NOT NULL,
      other_sources       jsonb
    )`.execute(db);
  await sql`CREATE INDEX person_by_id_number ON population.person (id_number)`.execute(db);
  await sql`CREATE INDEX person_by_name ON population.person (name)`.execute(db);
  await sql`
    CREATE INDEX person_by_household ON population.person (household_code) WHERE household_code IS NOT NULL`.execute(
    db,
  );
  await sql`
    CREATE INDEX person_by_registered_division ON population.person (registered_division)
    WHERE registered_division IS NOT NULL`.execute(db);

  // The values that were not kept: only where departments disagree.
  await sql`
    CREATE TABLE population.disagreement (
      person_id bigint NOT NULL,
      attribute text COLLATE "C" NOT NULL,
      value     text COLLATE "C" NOT NULL,
      feeds     text[] COLLATE "C" NOT NULL,
      PRIMARY KEY (person_id, attribute, value)
    )`.execute(db);
}

async function createDwellings(db: Kysely<unknown>): Promise<void> {
  await sql`
    CREATE TABLE population.dwelling (
      dwelling_id      bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
      code             text COLLATE "C",
      division         text COLLATE "C",
      street           text COLLATE "C",
      number           text COLLATE "C",
      room             text COLLATE "C",
      address          text COLLATE "C",
      address_key      text COLLATE "C",
      floor_area       numeric,
      known_to_housing boolean NOT NULL,
      is_ambiguous     boolean NOT NULL
    )`.execute(db);
  await sql`CREATE UNIQUE INDEX dwelling_of_code ON population.dwelling (code) WHERE code IS NOT NULL`.execute(
    db,
  );
  // Where an address without a code meets a dwelling.
  await sql`CREATE INDEX dwelling_by_address ON population.dwelling (address_key) WHERE address_key IS NOT NULL`.execute(
    db,
  );
  await sql`
    CREATE UNIQUE INDEX dwelling_of_address ON population.dwelling (address_key) WHERE code IS NULL`.execute(
    db,
  );

  // One row a mention: its role says what the person is to the dwelling.
  await sql`
    CREATE TABLE population.dwelling_person (
      mention_id  bigint PRIMARY KEY,
      dwelling_id bigint NOT NULL,
      person_id   bigint NOT NULL,
      relation    text COLLATE "C" NOT NULL CHECK (relation IN ('registered', 'lives', 'leases', 'lets', 'owns')),
      feed        text COLLATE "C" NOT NULL,
      source_key  text COLLATE "C" NOT NULL,
      since       date,
      until       date
    )`.execute(db);
  await sql`CREATE INDEX dwelling_person_by_dwelling ON population.dwelling_person (dwelling_id)`.execute(db);
  await sql`CREATE INDEX dwelling_person_by_person ON population.dwelling_person (person_id)`.execute(db);
}

async function createHouseholds(db: Kysely<unknown>): Promise<void> {
  await sql`
    CREATE TABLE population.household_member (
      household_code text COLLATE "C" NOT NULL,
      person_id      bigint NOT NULL,
      relation       text COLLATE "C",
      PRIMARY KEY (household_code, person_id)
    )`.execute(db);
  await sql`CREATE INDEX household_member_by_person ON population.household_member (person_id)`.execute(db);
  await sql`
    CREATE TABLE population.household (
      household_code text COLLATE "C" PRIMARY KEY,
      division       text COLLATE "C",
      head_person_id bigint,
      heads          integer NOT NULL,
      members        integer NOT NULL
    )`.execute(db);
  await sql`CREATE INDEX household_by_division ON population.household (division)`.execute(db);

  // Every relation stands twice, once from each side.
  await sql`
    CREATE TABLE population.relation (
      person_id       bigint NOT NULL,
      other_person_id bigint NOT NULL,
      kind            text COLLATE "C" NOT NULL
                      CHECK (kind IN ('parent', 'child', 'spouse', 'relative', 'guardian', 'ward')),
      source          text COLLATE "C" NOT NULL,
      PRIMARY KEY (person_id, other_person_id, kind, source)
    )`.execute(db);
}

async function down(db: Kysely<unknown>): Promise<void> {
  await sql`
    DROP TABLE population.relation, population.household, population.household_member,
      population.dwelling_person, population.dwelling, population.disagreement, population.person`.execute(
    db,
  );
}

export const profile: Migration = { up, down };
