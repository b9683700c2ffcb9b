import { type Kysely, sql } from 'kysely';
import type { Migration } from 'kysely/migration';

/**
 * What the pages of persons and reviews ask: reviews know their worth and their places, so that pages of them need
 * no counting and no look at every person; looks at persons can be counted; an id that was merged away leads on.
 */
async function up(db: Kysely<unknown>): Promise<void> {
  await placeReviews(db);
  await createFunctions(db);
}

/** Filled at the end of each night, and after each decision (src/identity/review-worth.ts). */
async function placeReviews(db: Kysely<unknown>): Promise<void> {
  await sql`
    ALTER TABLE identity.review
      ADD COLUMN anomalies   integer NOT NULL DEFAULT 0,
      ADD COLUMN benefits    integer NOT NULL DEFAULT 0,
      ADD COLUMN priority    integer NOT NULL GENERATED ALWAYS AS (anomalies + benefits) STORED,
      ADD COLUMN divisions   text[] COLLATE "C" NOT NULL DEFAULT '{}',
      ADD COLUMN departments text[] COLLATE "C" NOT NULL DEFAULT '{}'`.execute(db);
  await sql`
    CREATE INDEX review_open ON identity.review (priority, (coalesce(weight, '-Infinity')), review_id)
    WHERE status = 'open'`.execute(db);
  await sql`CREATE INDEX review_by_right ON identity.review (right_mention)`.execute(db);
  await sql`DROP POLICY scope ON identity.review`.execute(db);
  await sql`
    CREATE POLICY scope ON identity.review TO popshare_app, popshare_export USING (
      (SELECT access.current_role_name()) IN ('officer', 'supervisor')
      AND ((SELECT access.is_everywhere())
           OR EXISTS (SELECT FROM unnest(divisions) AS d (division)
                      WHERE d.division >= (SELECT access.division_from()) AND d.division < (SELECT access.division_to())))
      AND ((SELECT access.current_department()) = '' OR (SELECT access.current_department()) = ANY (departments)))`.execute(
    db,
  );
}

async function createFunctions(db: Kysely<unknown>): Promise<void> {
  // Whoever is to judge two mentions sees both, wherever the other one is. Asked mention by mention: what is cheap
  // and what pages of reviews ask comes first, and no function is called that need not be.
  await sql`
    CREATE OR REPLACE FUNCTION access.sees_mention(asked bigint) RETURNS boolean
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog AS $$
      SELECT coalesce(p.role IN ('officer', 'supervisor') AND (
        EXISTS (
          SELECT FROM identity.review r
          WHERE (r.left_mention = asked OR r.right_mention = asked)
            AND (p.division IS NULL OR EXISTS (SELECT FROM unnest(r.divisions) AS d (division)
                                               WHERE starts_with(d.division, p.division)))
            AND (p.department IS NULL OR p.department = ANY (r.departments)))
        OR EXISTS (
          SELECT FROM identity.mention m LEFT JOIN identity.link l USING (mention_id)
          WHERE m.mention_id = asked
            AND (p.department IS NULL OR EXISTS (SELECT FROM reference.feed f
                                                 WHERE f.feed = m.feed AND f.department = p.department))
            AND (p.division IS NULL OR starts_with(m.division, p.division) OR starts_with(m.registered_division, p.division)
                 OR access.sees_person(l.person_id)))), false)
      FROM access.principal(current_setting('popshare.session', true)) p
    $$`.execute(db);
  // What a match may name: of a department's system, persons with a record of its own.
  await sql`
    CREATE FUNCTION access.may_match(asked bigint) RETURNS boolean
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog AS $$
      SELECT coalesce(CASE WHEN p.role = 'department' THEN EXISTS (
        SELECT FROM identity.link l JOIN identity.mention m USING (mention_id) JOIN reference.feed f USING (feed)
        WHERE l.person_id = asked AND m.active AND f.department = p.department)
        ELSE access.sees_person(asked) END, false)
      FROM access.principal(current_setting('popshare.session', true)) p
    $$`.execute(db);
  // Of a person that was merged away, the one who took the place, if in scope.
  await sql`
    CREATE FUNCTION access.merged_into(asked bigint) RETURNS bigint
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog AS $$
      SELECT p.merged_into FROM identity.person p WHERE p.person_id = asked AND access.sees_person(p.merged_into)
    $$`.execute(db);
  await createLookCount(db);
  await sql`
    REVOKE ALL ON FUNCTION access.may_match, access.merged_into, access.looks_end, access.alerts FROM PUBLIC`.execute(
    db,
  );
  await sql`
    GRANT EXECUTE ON FUNCTION access.may_match, access.merged_into, access.looks_end TO popshare_app, popshare_export`.execute(
    db,
  );
}

/** A look at a case shows what its rule says, masked: it is kept in the log, and not counted here. */
const IS_LOOK_UP = sql.raw(
  `(action IN ('unmask', 'match') OR (action = 'look' AND subject NOT LIKE 'case %'))`,
);

async function createLookCount(db: Kysely<unknown>): Promise<void> {
  await sql`CREATE INDEX entry_of_look_up ON audit.entry (actor, at) WHERE ${IS_LOOK_UP}`.execute(db);
  await sql`CREATE INDEX entry_of_alert ON audit.entry (subject, at) WHERE action = 'alert'`.execute(db);
  // When whoever asks has looked more than `most` times in ten minutes: when they may look again. Otherwise null.
  await sql`
    CREATE FUNCTION access.looks_end(most integer) RETURNS timestamptz
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog AS $$
      SELECT at + interval '10 minutes' FROM audit.entry
      WHERE actor = access.current_name() AND at > clock_timestamp() - interval '10 minutes' AND ${IS_LOOK_UP}
      ORDER BY at DESC OFFSET most LIMIT 1
    $$`.execute(db);
  await sql`
    CREATE FUNCTION access.alerts(about text) RETURNS bigint
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog AS $$
      SELECT count(*) FROM audit.entry
      WHERE subject = about AND action = 'alert' AND at > clock_timestamp() - interval '10 minutes'
    $$`.execute(db);
}

async function down(db: Kysely<unknown>): Promise<void> {
  await sql`DROP FUNCTION access.may_match, access.merged_into, access.looks_end, access.alerts`.execute(db);
  await sql`DROP INDEX audit.entry_of_look_up, audit.entry_of_alert`.execute(db);
  await sql`
    CREATE OR REPLACE FUNCTION access.sees_mention(asked bigint) RETURNS boolean
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog AS $$
      SELECT coalesce(p.role IN ('officer', 'supervisor') AND EXISTS (
        SELECT FROM identity.mention m LEFT JOIN identity.link l USING (mention_id)
        WHERE m.mention_id = asked AND access.sees_feed(m.feed)
          AND (p.division IS NULL OR starts_with(m.division, p.division) OR starts_with(m.registered_division, p.division)
               OR access.sees_person(l.person_id))), false)
      FROM access.principal(current_setting('popshare.session', true)) p
    $$`.execute(db);
  await sql`DROP POLICY scope ON identity.review`.execute(db);
  await sql`
    CREATE POLICY scope ON identity.review TO popshare_app, popshare_export
    USING (access.sees_mention(left_mention) OR access.sees_mention(right_mention))`.execute(db);
  await sql`DROP INDEX identity.review_by_right, identity.review_open`.execute(db);
  await sql`
    ALTER TABLE identity.review
      DROP COLUMN priority, DROP COLUMN anomalies, DROP COLUMN benefits, DROP COLUMN divisions, DROP COLUMN departments`.execute(
    db,
  );
}

export const lookUps: Migration = { up, down };
