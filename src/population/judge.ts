import { type RawBuilder, sql, type Transaction } from 'kysely';
import { CONTRACTS } from '../schema/contracts/index.ts';
import type { DB } from '../schema/database.ts';
import { forEachAttribute, numberTells, statementsIn } from './statements.ts';
import { ATTRIBUTES, type Attribute, type Criterion, type Survivorship, THE_NUMBER } from './survivorship.ts';

/**
 * Judges between the values of persons whose records do not agree in everything.
 *
 * Before: `summary` says who they are. After: temporary table `verdict` has each value of each of their attributes, with
 * the feeds that give it and the place of the best of these; `is_kept` marks the one that the profile keeps.
 */
export async function judgeContested(tx: Transaction<DB>, survivorship: Survivorship): Promise<void> {
  await gatherStatements(tx);
  await gatherClaims(tx);
  await sql`
    CREATE TEMPORARY TABLE kept_number ON COMMIT DROP AS
    SELECT person_id, ${numberTells(sql`value`)}
    FROM ${judged(sql`(SELECT *, true AS is_valid FROM claim WHERE attribute = 'id_number') c`, survivorship)} j
    WHERE is_kept`.execute(tx);
  // What the number tells is a claim of its own: the only one, when no record says it.
  await sql`
    INSERT INTO claim (person_id, attribute, value, feed, is_odd)
    SELECT person_id, 'birth_date', number_birth_date::text, ${THE_NUMBER}, false
    FROM kept_number WHERE number_birth_date IS NOT NULL
    UNION ALL
    SELECT person_id, 'sex', number_sex, ${THE_NUMBER}, false FROM kept_number WHERE number_sex IS NOT NULL`.execute(
    tx,
  );
  await sql`ANALYZE kept_number`.execute(tx);
  const checked = sql`(
    SELECT c.*, coalesce(CASE c.attribute WHEN 'birth_date' THEN c.value = n.number_birth_date::text
                                          WHEN 'sex' THEN c.value = n.number_sex
                                          WHEN 'name' THEN f.pattern IS NULL
                                          ELSE true END, false) AS is_valid
    FROM claim c
    LEFT JOIN kept_number n USING (person_id)
    LEFT JOIN identity.name_form f ON c.attribute = 'name' AND f.name = c.value) c`;
  await sql`
    CREATE TEMPORARY TABLE verdict ON COMMIT DROP AS
    SELECT person_id, attribute, value, feeds, place, is_kept FROM ${judged(checked, survivorship)} j`.execute(
    tx,
  );
  await sql`ALTER TABLE verdict ADD PRIMARY KEY (person_id, attribute, value)`.execute(tx);
  await sql`ANALYZE verdict (person_id)`.execute(tx);
}

/** After: `contested_statement` has what is said of the contested persons, with the time of each record's last change. */
async function gatherStatements(tx: Transaction<DB>): Promise<void> {
  await sql`
    CREATE TEMPORARY TABLE contested_person ON COMMIT DROP AS
    SELECT person_id FROM summary WHERE is_contested`.execute(tx);
  await sql`ANALYZE contested_person`.execute(tx);
  await sql`
    CREATE TEMPORARY TABLE contested_statement ON COMMIT DROP AS
    SELECT s.*, NULL::timestamptz AS changed_at FROM ${statementsIn(sql`(contested_person JOIN touched_mention USING (person_id))`)} s`.execute(
    tx,
  );
  await sql`ANALYZE contested_statement (person_id, feed, source_key)`.execute(tx);
  for (const { feed, updatedAt } of CONTRACTS) {
    if (updatedAt === null) continue;
    await sql`
      UPDATE contested_statement s SET changed_at = r.${sql.id(updatedAt)}
      FROM ${sql.id('registry', feed)} r WHERE s.feed = ${feed} AND r.source_key = s.source_key`.execute(tx);
  }
}

/** After: temporary table `claim` has a row for each value that a record gives. */
async function gatherClaims(tx: Transaction<DB>): Promise<void> {
  await sql`
    CREATE TEMPORARY TABLE claim ON COMMIT DROP AS
    SELECT s.person_id, v.attribute, v.value, s.feed, s.changed_at, v.is_odd
    FROM contested_statement s
    CROSS JOIN LATERAL (VALUES ('id_number', s.odd_number, true), ${forEachAttribute(
      (attribute) => sql`(${sql.lit(attribute)}, s.${sql.id(attribute)}::text, false)`,
    )}) v (attribute, value, is_odd)
    WHERE v.value IS NOT NULL`.execute(tx);
  await sql`ANALYZE claim`.execute(tx);
  // A person's last registration counts. The marriage registers learn of no death: widowed contradicts no marriage.
  await sql`
    INSERT INTO claim (person_id, attribute, value, feed, changed_at, is_odd)
    SELECT DISTINCT ON (s.person_id) s.person_id, 'marital_status', s.civil_status, s.feed, s.changed_at, false
    FROM contested_statement s
    WHERE s.civil_status IS NOT NULL AND NOT EXISTS (
      SELECT FROM claim w WHERE w.person_id = s.person_id AND w.attribute = 'marital_status' AND w.value = '30')
    ORDER BY s.person_id, s.wedding DESC, s.civil_status DESC`.execute(tx);
  // The day of the cancellation stands for the day of the death where nobody tells that one.
  await sql`
    DELETE FROM claim c
    WHERE c.attribute = 'death_date' AND c.feed = 'household_register' AND EXISTS (
      SELECT FROM claim d WHERE d.person_id = c.person_id AND d.attribute = 'death_date' AND d.feed = 'death_registration')`.execute(
    tx,
  );
}

/** The values of some claims (with is_valid), in the order of what the site prefers; the first one is kept. */
function judged(claims: RawBuilder<unknown>, { attributes }: Survivorship): RawBuilder<unknown> {
  const byAttribute = (piece: (attribute: Attribute) => RawBuilder<unknown>): RawBuilder<unknown> =>
    sql`CASE attribute ${sql.join(
      ATTRIBUTES.map((name) => sql`WHEN ${sql.lit(name)} THEN ${piece(name)}`),
      sql` `,
    )} END`;
  const standing = byAttribute(
    (attribute) =>
      sql`ARRAY[${sql.join(attributes[attribute].order.map((criterion) => STANDING[criterion]))}]::float8[]`,
  );
  return sql`(
    SELECT *, NOT is_odd AND row_number() OVER (PARTITION BY person_id, attribute ORDER BY is_odd, ${standing} DESC, value) = 1 AS is_kept
    FROM (
      SELECT person_id, attribute, value, array_agg(DISTINCT feed ORDER BY feed) AS feeds, bool_and(is_odd) AS is_odd,
             bool_or(is_valid) AS is_valid, count(DISTINCT feed) FILTER (WHERE feed <> ${sql.lit(THE_NUMBER)}) AS agreement,
             min(array_position(${byAttribute((name) => sql`${attributes[name].trust}::text[]`)}, feed)) AS place,
             max(changed_at) AS changed_at
      FROM ${claims} GROUP BY person_id, attribute, value) given)`;
}

/** How much each criterion speaks for a value: the greater, the better. */
const STANDING: Record<Criterion, RawBuilder<unknown>> = {
  validity: sql`is_valid::integer`,
  agreement: sql`agreement`,
  trust: sql`-place`,
  recency: sql`coalesce(extract(epoch FROM changed_at), 0)`,
};
