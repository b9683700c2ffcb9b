import { type Kysely, sql } from 'kysely';
import type { Migration } from 'kysely/migration';

/** What the identity engine needs beside the links: features, block keys, reviews and human decisions. */
async function up(db: Kysely<unknown>): Promise<void> {
  // levenshtein(); a trusted extension, so the owner of the database may install it.
  await sql`CREATE EXTENSION IF NOT EXISTS fuzzystrmatch WITH SCHEMA public`.execute(db);

  // What a mention can be compared by, ready for the expressions of config/linkage/persons.yaml. Dates are the
  // digits YYYYMMDD, so that impossible ones can be compared too. id_birth is what the number says, odd or not.
  await sql`
    CREATE VIEW identity.feature AS
    SELECT m.mention_id, m.feed, m.source_key, m.role, m.id_kind, m.id_number,
           CASE WHEN m.id_kind IN ('invalid', 'impossible_birth') THEN m.id_given END AS id_odd,
           m.name, f.pinyin, f.shape, f.pattern AS name_pattern,
           split_part(f.pinyin, ' ', 1) AS surname_pinyin,
           nullif(substr(f.pinyin, strpos(f.pinyin || ' ', ' ') + 1), '') AS given_pinyin,
           CASE WHEN m.sex IN ('1', '2') THEN m.sex END AS sex,
           to_char(m.birth_date, 'YYYYMMDD') AS birth,
           CASE WHEN length(coalesce(m.id_number, m.id_given)) = 18 THEN substr(coalesce(m.id_number, m.id_given), 7, 8) END AS id_birth,
           t.lunar_date::text AS lunar_birth,
           m.phone, m.division, m.registered_division, m.address, m.dwelling_code, m.household_code, m.source_person
    FROM identity.mention m
    LEFT JOIN identity.name_form f ON f.name = m.name
    LEFT JOIN reference.lunar_date t ON t.solar_date = m.birth_date
    WHERE m.active`.execute(db);

  // Mentions that share a key are compared. A mention that is anchored by a document number speaks for all
  // mentions of its cluster: each key of a cluster stands once. The rule is its place in the model.
  await sql`
    CREATE TABLE identity.block_key (
      key        bigint NOT NULL,
      mention_id bigint NOT NULL,
      rule       smallint NOT NULL,
      anchored   boolean NOT NULL
    )`.execute(db);
  await sql`CREATE INDEX block_key_by_key ON identity.block_key (key)`.execute(db);
  await sql`CREATE INDEX block_key_by_mention ON identity.block_key (mention_id)`.execute(db);

  // Keys under which more stood than the model's block_limit: in that run, of that rule. Of these, mentions met only
  // those whose names sound the same; left out are the sounds under which even so more than the limit stood.
  await sql`
    CREATE TABLE identity.crowded_key (
      run_id            bigint NOT NULL,
      rule              text COLLATE "C" NOT NULL,
      keys              integer NOT NULL,
      mentions          integer NOT NULL,
      left_out_keys     integer NOT NULL,
      left_out_mentions integer NOT NULL,
      PRIMARY KEY (run_id, rule)
    )`.execute(db);

  // The comparison vector by which the model linked a mention, to explain it later, and the model's version.
  await sql`ALTER TABLE identity.link ADD COLUMN vector bigint, ADD COLUMN model_version integer`.execute(db);

  // SHA-256 of what of the model decides upon weights and upon keys: another one means that links are to be asked again.
  await sql`ALTER TABLE identity.state ADD COLUMN model_weights text, ADD COLUMN model_blocking text`.execute(
    db,
  );

  // Left and right are mentions; the pair stands in one order (the smaller record first), once.
  await sql`
    CREATE TABLE identity.review (
      review_id     bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
      kind          text NOT NULL CHECK (kind IN ('doubtful', 'ambiguous', 'conflict')),
      status        text NOT NULL CHECK (status IN ('open', 'linked', 'separated', 'withdrawn')),
      left_mention  bigint NOT NULL,
      right_mention bigint NOT NULL,
      weight        double precision,
      vector        bigint,
      opened_run    bigint NOT NULL,
      opened_at     timestamptz NOT NULL DEFAULT now(),
      closed_at     timestamptz,
      UNIQUE (left_mention, right_mention)
    )`.execute(db);

  // A human's word on two mentions. It binds until it is lifted.
  await sql`
    CREATE TABLE identity.decision (
      decision_id   bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
      verdict       text NOT NULL CHECK (verdict IN ('same', 'different')),
      left_mention  bigint NOT NULL,
      right_mention bigint NOT NULL,
      reason        text NOT NULL,
      decided_by    text NOT NULL,
      decided_at    timestamptz NOT NULL DEFAULT now(),
      lifted_by     text,
      lifted_at     timestamptz
    )`.execute(db);
  await sql`
    CREATE UNIQUE INDEX decision_in_force ON identity.decision (left_mention, right_mention) WHERE lifted_at IS NULL`.execute(
    db,
  );

  await sql`
    CREATE VIEW reporting.review AS
    SELECT r.review_id, r.kind, r.status,
           l.feed AS left_feed, l.source_key AS left_source_key, l.role AS left_role,
           o.feed AS right_feed, o.source_key AS right_source_key, o.role AS right_role, r.weight
    FROM identity.review r
    JOIN identity.mention l ON l.mention_id = r.left_mention
    JOIN identity.mention o ON o.mention_id = r.right_mention`.execute(db);
  await sql`GRANT SELECT ON reporting.review TO popshare_reader`.execute(db);
}

async function down(db: Kysely<unknown>): Promise<void> {
  await sql`DROP VIEW reporting.review`.execute(db);
  await sql`DROP TABLE identity.decision, identity.review, identity.crowded_key, identity.block_key`.execute(
    db,
  );
  await sql`ALTER TABLE identity.state DROP COLUMN model_weights, DROP COLUMN model_blocking`.execute(db);
  await sql`ALTER TABLE identity.link DROP COLUMN vector, DROP COLUMN model_version`.execute(db);
  await sql`DROP VIEW identity.feature`.execute(db);
  await sql`DROP EXTENSION fuzzystrmatch`.execute(db);
}

export const linkage: Migration = { up, down };
