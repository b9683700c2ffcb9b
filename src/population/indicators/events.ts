import { sql, type Transaction } from 'kysely';
import type { DB } from '../../schema/database.ts';
import type { IndicatorDay } from './indicator-file.ts';

/**
 * Makes the events of the twelve months that indicators count, once a night (`died` is made with the presence).
 *
 * - `born` (certificate, child_id, mother_id, sex, born_on, mother_age, village, is_ours): children whose mother lives in the
 *   county, each once. Where she lives: as the certificate says; where it does not, as the picture has the child, then
 *   the mother; else where the certificate says that she is registered, which is_ours says to be in the county.
 * - `wedded` (certificate, event, registered_on, village): registrations of marriages (结婚) and divorces (离婚); the
 *   village is where the wife lives, or else the husband; the county's code when neither lives here
 * - `spouse` (certificate, person_id, sex, is_again, age): the two of each marriage; is_again when an earlier
 *   registration names the person, or the household register calls them married again, widowed or divorced; age in
 *   years with decimals
 *
 * Before: `presence`.
 */
export async function createEvents(tx: Transaction<DB>, day: IndicatorDay): Promise<void> {
  await createBirths(tx, day);
  await createWeddings(tx, day);
  await createSpouses(tx, day);
}

async function createBirths(tx: Transaction<DB>, { asOf, from, county }: IndicatorDay): Promise<void> {
  const here = `${county.slice(0, 6)}%`;
  await sql`
    CREATE TEMPORARY TABLE born ON COMMIT DROP AS
    WITH certified AS (
      SELECT r.source_key AS certificate, r.child_sex AS sex, r.child_birth_date AS born_on, r.mother_birth_date,
             r.mother_living_division, r.mother_registered_division,
             (SELECT l.person_id FROM identity.mention m JOIN identity.link l USING (mention_id)
              WHERE m.source_key = r.source_key AND m.feed = 'birth_certificate' AND m.role = 'child' AND m.active) AS child_id,
             (SELECT l.person_id FROM identity.mention m JOIN identity.link l USING (mention_id)
              WHERE m.source_key = r.source_key AND m.feed = 'birth_certificate' AND m.role = 'mother' AND m.active) AS mother_id
      FROM registry.birth_certificate r
      WHERE r.child_birth_date > ${from}::date AND r.child_birth_date <= ${asOf}::date),
    placed AS (
      SELECT c.*, coalesce(c.mother_living_division, child.village, mother.village, c.mother_registered_division) AS village
      FROM certified c
      LEFT JOIN presence child ON child.person_id = c.child_id
      LEFT JOIN presence mother ON mother.person_id = c.mother_id)
    SELECT DISTINCT ON (coalesce(b.child_id::text, b.certificate)) b.certificate, b.child_id, b.mother_id, b.sex, b.born_on,
           extract(year FROM age(b.born_on, coalesce(k.birth_date, b.mother_birth_date)))::integer AS mother_age,
           b.village, coalesce(b.mother_registered_division LIKE ${here}, false) AS is_ours
    FROM placed b LEFT JOIN population.person k ON k.person_id = b.mother_id
    WHERE b.village LIKE ${here}
    ORDER BY coalesce(b.child_id::text, b.certificate), b.certificate`.execute(tx);
  await sql`ANALYZE born`.execute(tx);
}

async function createWeddings(tx: Transaction<DB>, { asOf, from, county }: IndicatorDay): Promise<void> {
  await sql`
    CREATE TEMPORARY TABLE partner ON COMMIT DROP AS
    SELECT r.source_key AS certificate, r.event, r.registered_on, m.role, l.person_id
    FROM registry.marriage_registration r
    JOIN identity.mention m ON m.source_key = r.source_key AND m.feed = 'marriage_registration' AND m.active
    JOIN identity.link l USING (mention_id)
    WHERE r.registered_on > ${from}::date AND r.registered_on <= ${asOf}::date`.execute(tx);
  // Whoever marries is asked for earlier registrations.
  await sql`CREATE INDEX ON partner (person_id)`.execute(tx);
  await sql`ANALYZE partner`.execute(tx);
  await sql`
    CREATE TEMPORARY TABLE wedded ON COMMIT DROP AS
    SELECT certificate, event, registered_on,
           coalesce(max(v.village) FILTER (WHERE role = 'wife'), max(v.village), ${county}) AS village
    FROM partner LEFT JOIN presence v USING (person_id)
    GROUP BY certificate, event, registered_on`.execute(tx);
  await sql`ANALYZE wedded`.execute(tx);
}

async function createSpouses(tx: Transaction<DB>, { from }: IndicatorDay): Promise<void> {
  await sql`
    CREATE TEMPORARY TABLE spouse ON COMMIT DROP AS
    WITH known AS (
      -- Of the partners alone. What the household register says is of today: of who married lately it says nothing
      -- about before.
      SELECT DISTINCT p.person_id
      FROM partner p JOIN identity.link l USING (person_id) JOIN identity.mention m USING (mention_id)
      LEFT JOIN registry.household_register h ON h.source_key = m.source_key AND m.feed = 'household_register'
      LEFT JOIN registry.marriage_registration r ON r.source_key = m.source_key AND m.feed = 'marriage_registration'
      WHERE m.active AND (h.marital_status IN ('22', '23') OR r.registered_on <= ${from}::date))
    SELECT p.certificate, p.person_id, CASE p.role WHEN 'husband' THEN '1' ELSE '2' END AS sex,
           p.person_id IN (SELECT person_id FROM known)
             OR EXISTS (SELECT FROM partner o WHERE o.person_id = p.person_id AND o.certificate <> p.certificate
                        AND o.registered_on < p.registered_on) AS is_again,
           (p.registered_on - k.birth_date) / 365.2425 AS age
    FROM partner p LEFT JOIN population.person k USING (person_id)
    WHERE p.event = '结婚'`.execute(tx);
  await sql`ANALYZE spouse`.execute(tx);
}
