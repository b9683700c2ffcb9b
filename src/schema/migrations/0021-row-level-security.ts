import { type Kysely, sql } from 'kysely';
import type { Migration } from 'kysely/migration';

/**
 * What the server may see of the warehouse: rows of the scope of whoever it works for, and of these, masked values.
 *
 * The server sets `popshare.session` to the token that came with the request. Whoever has the server's role and no
 * token of a session that is alive sees no row; with one, the rows of that session's account. So scope does not rest
 * on what the server says of itself.
 *
 * Two roles: popshare_app reads masked views and works on cases; popshare_export also reads the values themselves,
 * of the same rows, for what is shown on purpose and logged: unmasking, correction lists, rejected rows.
 */
async function up(db: Kysely<unknown>): Promise<void> {
  await createRoles(db);
  await createScope(db);
  await createPolicies(db, POLICIES);
  await createMaskedViews(db);
  await grantRights(db);
  await nameTheActor(db);
}

/** Roles belong to the server, not to the database: another database may have made them already. */
async function createRoles(db: Kysely<unknown>): Promise<void> {
  for (const role of ['popshare_app', 'popshare_export'])
    await sql`
      DO $$ BEGIN
        CREATE ROLE ${sql.id(role)} NOLOGIN NOINHERIT;
      EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL;
      END $$`.execute(db);
  await sql`
    DO $$ BEGIN
      IF NOT (SELECT rolsuper FROM pg_roles WHERE rolname = current_user) THEN
        EXECUTE format('GRANT popshare_app, popshare_export TO %I', current_user);
      END IF;
    END $$`.execute(db);
}

/** Functions that policies ask. Each runs with its owner's rights and is asked once a statement, not once a row. */
async function createScope(db: Kysely<unknown>): Promise<void> {
  // Which department sends a feed: filled by `migrate` from the contracts.
  await sql`
    CREATE TABLE reference.feed (
      feed       text COLLATE "C" PRIMARY KEY,
      department text COLLATE "C" NOT NULL
    )`.execute(db);
  // No row: nobody.
  await sql`
    CREATE FUNCTION access.principal(token text, OUT kind text, OUT id bigint, OUT name text, OUT role text, OUT division text,
                                     OUT department text)
    RETURNS SETOF record LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog ROWS 1 AS $$
      SELECT 'account', a.account_id, a.name, a.role, a.division, a.department
      FROM access.session s JOIN access.account a USING (account_id)
      WHERE s.token_hash = sha256(convert_to(token, 'UTF8')) AND s.expires_at > now() AND a.disabled_at IS NULL
      UNION ALL
      SELECT 'token', t.token_id, 'token:' || t.name, t.role, NULL, t.department
      FROM access.service_token t
      WHERE t.token_hash = sha256(convert_to(token, 'UTF8')) AND t.expires_at > now() AND t.revoked_at IS NULL
    $$`.execute(db);
  await sql`
    CREATE FUNCTION access.current_name() RETURNS text LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog AS
    $$ SELECT name FROM access.principal(current_setting('popshare.session', true)) $$`.execute(db);
  await sql`
    CREATE FUNCTION access.current_role_name() RETURNS text LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog AS
    $$ SELECT role FROM access.principal(current_setting('popshare.session', true)) $$`.execute(db);
  // The division's subtree as a range of codes, [from, to): ':' comes right after '9'. Null: nobody is there.
  await sql`
    CREATE FUNCTION access.division_from() RETURNS text LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog AS
    $$ SELECT coalesce(division, '') COLLATE "C" FROM access.principal(current_setting('popshare.session', true)) $$`.execute(
    db,
  );
  await sql`
    CREATE FUNCTION access.division_to() RETURNS text LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog AS
    $$ SELECT (coalesce(division, '') || ':') COLLATE "C" FROM access.principal(current_setting('popshare.session', true)) $$`.execute(
    db,
  );
  await sql`
    CREATE FUNCTION access.is_everywhere() RETURNS boolean LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog AS
    $$ SELECT division IS NULL FROM access.principal(current_setting('popshare.session', true)) $$`.execute(
    db,
  );
  // Null when nobody is there; the empty text when all departments are in scope.
  await sql`
    CREATE FUNCTION access.current_department() RETURNS text LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog AS
    $$ SELECT coalesce(department, '') COLLATE "C" FROM access.principal(current_setting('popshare.session', true)) $$`.execute(
    db,
  );
  await sql`
    CREATE FUNCTION access.sees_feed(asked text) RETURNS boolean LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog AS $$
      SELECT coalesce(d = '' OR EXISTS (SELECT FROM reference.feed f WHERE f.feed = asked AND f.department = d), false)
      FROM access.current_department() d
    $$`.execute(db);
  // A person is in scope with a record of the department whose place, or place of registration, is in the division;
  // with a registered or living place there; or with an open case in scope.
  await sql`
    CREATE FUNCTION access.sees_person(asked bigint) RETURNS boolean
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog AS $$
      SELECT coalesce(p.role IN ('officer', 'supervisor') AND (
        (p.division IS NULL AND p.department IS NULL)
        OR EXISTS (
          SELECT FROM identity.link l JOIN identity.mention m USING (mention_id)
          WHERE l.person_id = asked AND m.active
            AND (p.division IS NULL OR starts_with(m.division, p.division) OR starts_with(m.registered_division, p.division))
            AND (p.department IS NULL OR EXISTS (SELECT FROM reference.feed f
                                                 WHERE f.feed = m.feed AND f.department = p.department)))
        OR (p.department IS NULL AND EXISTS (
          SELECT FROM population.residence r
          WHERE r.person_id = asked AND r.until IS NULL
            AND (starts_with(r.living_division, p.division) OR starts_with(r.registered_division, p.division))))
        OR EXISTS (
          SELECT FROM anomalies.anomaly a
          WHERE a.person_id = asked AND a.status IN ('new', 'assigned', 'returned')
            AND (p.division IS NULL OR starts_with(a.division, p.division))
            AND (p.department IS NULL OR p.department IN (a.department, a.returned_to)))), false)
      FROM access.principal(current_setting('popshare.session', true)) p
    $$`.execute(db);
  // A record, or one mention of it: a department sees its own; of others, those of persons in scope.
  await sql`
    CREATE FUNCTION access.sees_record(asked_feed text, asked_key text) RETURNS boolean
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog AS $$
      SELECT coalesce(access.sees_feed(asked_feed) AND (
        (p.division IS NULL AND p.role IN ('officer', 'supervisor', 'department'))
        OR (p.role IN ('officer', 'supervisor') AND EXISTS (
          SELECT FROM identity.mention m JOIN identity.link l USING (mention_id)
          WHERE m.feed = asked_feed AND m.source_key = asked_key AND access.sees_person(l.person_id)))), false)
      FROM access.principal(current_setting('popshare.session', true)) p
    $$`.execute(db);
  await sql`
    CREATE FUNCTION access.sees_mention(asked bigint) RETURNS boolean
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog AS $$
      SELECT coalesce(p.role IN ('officer', 'supervisor') AND EXISTS (
        SELECT FROM identity.mention m LEFT JOIN identity.link l USING (mention_id)
        WHERE m.mention_id = asked AND access.sees_feed(m.feed)
          AND (p.division IS NULL OR starts_with(m.division, p.division) OR starts_with(m.registered_division, p.division)
               OR access.sees_person(l.person_id))), false)
      FROM access.principal(current_setting('popshare.session', true)) p
    $$`.execute(db);
}

/** Of a query, the scope is asked once: an uncorrelated sub-select is computed before the rows are read. */
export const IN_DIVISION = (column: string): string => `
  ((SELECT access.is_everywhere())
   OR (${column} >= (SELECT access.division_from()) AND ${column} < (SELECT access.division_to())))`;
export const OF_DEPARTMENT = (...columns: string[]): string => `
  ((SELECT access.current_department()) = '' OR (SELECT access.current_department()) IN (${columns.join(', ')}))`;
export const ROLE_IN = (...roles: string[]): string =>
  `(SELECT access.current_role_name()) IN (${roles.map((role) => `'${role}'`).join(', ')})`;
export const HANDLES_CASES = ROLE_IN('officer', 'supervisor', 'department');
export const IS_OFFICER = ROLE_IN('officer', 'supervisor');
/** Whoever sees everything is not asked person by person. */
const SEES_ALL = `((SELECT access.is_everywhere()) AND (SELECT access.current_department()) = '' AND ${IS_OFFICER})`;

/** Which rows of a table are in scope. The owner, who runs the nights, is not asked. */
const POLICIES: Readonly<Record<string, string>> = {
  'anomalies.anomaly': `${HANDLES_CASES} AND ${IN_DIVISION('division')} AND ${OF_DEPARTMENT('department', 'returned_to')}`,
  'anomalies.anomaly_event':
    'EXISTS (SELECT FROM anomalies.anomaly a WHERE a.anomaly_id = anomaly_event.anomaly_id)',
  'anomalies.correction': `${HANDLES_CASES} AND ${OF_DEPARTMENT('department')}`,
  'anomalies.correction_line':
    'EXISTS (SELECT FROM anomalies.anomaly a WHERE a.anomaly_id = correction_line.anomaly_id)',
  'anomalies.field_check':
    'EXISTS (SELECT FROM anomalies.anomaly a WHERE a.anomaly_id = field_check.anomaly_id)',
  // What somebody did within a scope, only they or whoever sees everything may take back.
  'anomalies.bulk_action': `${ROLE_IN('supervisor')} AND (${SEES_ALL} OR actor = (SELECT access.current_name()))`,
  // Of a place or a feed when all of it is in scope; of a person or a subject when that is.
  'anomalies.suppression': `${IS_OFFICER} AND (${SEES_ALL}
    OR (subject IS NULL AND person_id IS NULL AND ${IN_DIVISION('division')}
        AND ((SELECT access.current_department()) = '' OR access.sees_feed(feed)))
    OR (person_id IS NOT NULL AND access.sees_person(person_id))
    OR (subject IS NOT NULL AND EXISTS (SELECT FROM anomalies.anomaly a
                                        WHERE a.rule = suppression.rule AND a.subject = suppression.subject)))`,
  'identity.mention': `${SEES_ALL} OR access.sees_mention(mention_id)`,
  'identity.link': `${SEES_ALL} OR access.sees_mention(mention_id)`,
  'identity.review': `${SEES_ALL} OR access.sees_mention(left_mention) OR access.sees_mention(right_mention)`,
  'identity.decision': `${SEES_ALL} OR access.sees_mention(left_mention) OR access.sees_mention(right_mention)`,
  'identity.person_event': `${SEES_ALL} OR access.sees_person(person_id)`,
  'identity.residency': `${SEES_ALL} OR access.sees_person(person_id)`,
  'population.person': `${SEES_ALL} OR access.sees_person(person_id)`,
  'population.disagreement': `${SEES_ALL} OR access.sees_person(person_id)`,
  'population.residence': `${SEES_ALL} OR access.sees_person(person_id)`,
  'population.dwelling_person': `${SEES_ALL} OR access.sees_person(person_id)`,
  'population.household_member': `${SEES_ALL} OR access.sees_person(person_id)`,
  'population.relation': `${SEES_ALL} OR access.sees_person(person_id)`,
  'population.dwelling': `${IS_OFFICER} AND ${IN_DIVISION('division')}`,
  'population.household': `${IS_OFFICER} AND ${IN_DIVISION('division')}`,
  'ops.rejected_row': `${HANDLES_CASES} AND ((SELECT access.current_department()) = '' OR access.sees_feed(feed))`,
};

/** @param policies by table, which of its rows the server's roles see and write */
export async function createPolicies(
  db: Kysely<unknown>,
  policies: Readonly<Record<string, string>>,
): Promise<void> {
  for (const [table, rows] of Object.entries(policies)) {
    await sql`ALTER TABLE ${sql.table(table)} ENABLE ROW LEVEL SECURITY`.execute(db);
    await sql`
      CREATE POLICY scope ON ${sql.table(table)} TO popshare_app, popshare_export
      USING (${sql.raw(rows)}) WITH CHECK (${sql.raw(rows)})`.execute(db);
  }
}

/** Views that show a person so far that one knows whom one has before one. Their owner is under the policies, too. */
async function createMaskedViews(db: Kysely<unknown>): Promise<void> {
  // 平凉市崆峒区东关街道… → the first six characters: which township, not which door.
  await sql`
    CREATE FUNCTION masking.address(given text) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
      SELECT CASE WHEN length(given) > 6 THEN left(given, 6) || '***' ELSE repeat('*', length(given)) END $$`.execute(
    db,
  );
  await sql`CREATE SCHEMA masked`.execute(db);
  await sql`
    CREATE VIEW masked.person WITH (security_barrier) AS
    SELECT person_id, masking.id_number(id_number) AS id_number, masking.name(name) AS name, sex,
           masking.birth_date(birth_date) AS birth_date, death_date, masking.phone(phone) AS phone, marital_status,
           registered_division, masking.address(registered_address) AS registered_address, household_code, is_local, source,
           other_sources
    FROM population.person`.execute(db);
  await sql`
    CREATE VIEW masked.mention WITH (security_barrier) AS
    SELECT m.mention_id, m.feed, m.source_key, m.role, m.active, m.id_kind, masking.id_number(m.id_given) AS id_given,
           masking.name(m.name_given) AS name, m.sex, masking.birth_date(m.birth_date) AS birth_date,
           masking.phone(m.phone) AS phone, m.division, m.registered_division, masking.address(m.address) AS address,
           l.person_id, l.method, l.weight, l.linked_at
    FROM identity.mention m LEFT JOIN identity.link l USING (mention_id)`.execute(db);
  await sql`
    CREATE VIEW masked.disagreement WITH (security_barrier) AS
    SELECT person_id, attribute,
           CASE attribute WHEN 'id_number' THEN masking.id_number(value) WHEN 'name' THEN masking.name(value)
                          WHEN 'phone' THEN masking.phone(value) WHEN 'registered_address' THEN masking.address(value)
                          WHEN 'birth_date' THEN left(value, 4) || '-**-**' ELSE value END AS value,
           feeds
    FROM population.disagreement`.execute(db);
  await sql`
    CREATE VIEW masked.dwelling WITH (security_barrier) AS
    SELECT dwelling_id, code, division, masking.address(address) AS address, floor_area, known_to_housing, is_ambiguous
    FROM population.dwelling`.execute(db);
}

/** The masked views of what the population picture says; those of records come with the contracts. */
const MASKED_VIEWS = ['masked.person', 'masked.mention', 'masked.disagreement', 'masked.dwelling'];

async function grantRights(db: Kysely<unknown>): Promise<void> {
  const both = sql`popshare_app, popshare_export`;
  await sql`
    GRANT USAGE ON SCHEMA access, anomalies, identity, population, ops, reference, registry, reporting, masking, masked, audit
    TO ${both}`.execute(db);
  await sql`REVOKE ALL ON ALL FUNCTIONS IN SCHEMA access FROM PUBLIC`.execute(db);
  await sql`GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA access TO ${both}`.execute(db);
  await sql`GRANT EXECUTE ON FUNCTION audit.append TO ${both}`.execute(db);
  await sql`GRANT SELECT ON ALL TABLES IN SCHEMA reference TO ${both}`.execute(db);
  // What speaks of no person.
  await sql`
    GRANT SELECT ON ops.run, ops.step, ops.delivery, ops.gate_finding, ops.delivery_decision, ops.feed_state,
      anomalies.rule_state, anomalies.night, anomalies.tally, anomalies.tally_due, anomalies.tally_group,
      identity.state, population.state, population.residence_count, population.resident_estimate, reporting.run,
      reporting.delivery, reporting.residence
    TO ${both}`.execute(db);
  // What does: the rows in scope.
  await sql`
    GRANT SELECT ON anomalies.anomaly, anomalies.anomaly_event, anomalies.correction, anomalies.correction_line,
      anomalies.field_check, anomalies.bulk_action, anomalies.suppression, identity.review, identity.decision,
      identity.person_event, identity.residency, population.residence, population.dwelling_person,
      population.household, population.household_member, population.relation
    TO ${both}`.execute(db);
  await sql`
    GRANT SELECT (mention_id, person_id, method, weight, linked_run, linked_at, vector, model_version)
    ON identity.link TO popshare_app`.execute(db);
  await sql`
    GRANT SELECT (mention_id, feed, source_key, role, active, changed_run, id_kind, division, registered_division)
    ON identity.mention TO popshare_app`.execute(db);
  await sql`
    GRANT SELECT (rejected_row_id, delivery_id, feed, line, field, code, message, mended_by)
    ON ops.rejected_row TO popshare_app`.execute(db);
  await sql`
    GRANT SELECT ON identity.mention, identity.link, population.person, population.disagreement, population.dwelling,
      ops.rejected_row
    TO popshare_export`.execute(db);
  // Work on cases.
  await sql`GRANT UPDATE ON anomalies.anomaly, anomalies.correction_line, anomalies.field_check TO ${both}`.execute(
    db,
  );
  await sql`GRANT UPDATE ON anomalies.bulk_action, anomalies.suppression TO ${both}`.execute(db);
  await sql`
    GRANT INSERT ON anomalies.anomaly_event, anomalies.tally, anomalies.tally_due, anomalies.tally_group,
      anomalies.bulk_action, anomalies.suppression, anomalies.correction, anomalies.correction_line,
      anomalies.field_check
    TO ${both}`.execute(db);
  await sql`GRANT CREATE ON SCHEMA masked TO popshare_export`.execute(db);
  for (const view of MASKED_VIEWS)
    await sql`ALTER VIEW ${sql.table(view)} OWNER TO popshare_export`.execute(db);
  await sql`REVOKE CREATE ON SCHEMA masked FROM popshare_export`.execute(db);
  await sql`GRANT SELECT ON ALL TABLES IN SCHEMA masked TO ${both}`.execute(db);
}

/**
 * Whoever works for a session writes in the log under that session's name, whatever name it gives. The owner, who
 * writes for the nights and for the command line, is believed.
 */
async function nameTheActor(db: Kysely<unknown>): Promise<void> {
  await sql`ALTER FUNCTION audit.append(text, text, text, text, jsonb) RENAME TO append_as`.execute(db);
  await sql`REVOKE ALL ON FUNCTION audit.append_as FROM popshare_app, popshare_export`.execute(db);
  await sql`
    CREATE FUNCTION audit.append(actor text, action text, subject text, purpose text, detail jsonb) RETURNS bigint
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog AS $$
    DECLARE
      asking text := CASE current_setting('role') WHEN 'none' THEN session_user ELSE current_setting('role') END;
    BEGIN
      IF NOT pg_has_role(asking, current_user, 'MEMBER') THEN
        actor := access.current_name();
        IF actor IS NULL THEN
          RAISE insufficient_privilege USING MESSAGE = 'who writes in the audit log must be signed in';
        END IF;
      END IF;
      RETURN audit.append_as(actor, action, subject, purpose, detail);
    END $$`.execute(db);
  await sql`REVOKE ALL ON FUNCTION audit.append FROM PUBLIC`.execute(db);
  await sql`GRANT EXECUTE ON FUNCTION audit.append TO popshare_app, popshare_export`.execute(db);
}

async function down(db: Kysely<unknown>): Promise<void> {
  await sql`DROP FUNCTION audit.append(text, text, text, text, jsonb)`.execute(db);
  await sql`ALTER FUNCTION audit.append_as(text, text, text, text, jsonb) RENAME TO append`.execute(db);
  await sql`DROP SCHEMA masked CASCADE`.execute(db);
  await sql`DROP FUNCTION masking.address`.execute(db);
  for (const table of Object.keys(POLICIES)) {
    await sql`DROP POLICY scope ON ${sql.table(table)}`.execute(db);
    await sql`ALTER TABLE ${sql.table(table)} DISABLE ROW LEVEL SECURITY`.execute(db);
  }
  await sql`DROP OWNED BY popshare_app, popshare_export`.execute(db);
  await sql`
    DROP FUNCTION access.sees_mention, access.sees_record, access.sees_person, access.sees_feed, access.current_department,
      access.is_everywhere, access.division_to, access.division_from, access.current_role_name, access.current_name,
      access.principal`.execute(db);
  await sql`DROP TABLE reference.feed`.execute(db);
}

export const rowLevelSecurity: Migration = { up, down };
