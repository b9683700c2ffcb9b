import { sql, type Transaction } from 'kysely';
import type { DB } from '../../schema/database.ts';
import type { IndicatorDay } from './indicator-file.ts';

/**
 * Makes `presence`, once a night: one row for each living person with a category tonight, and for each who lived here
 * a year before. Indicators read it and what is counted from it.
 *
 * | column | meaning |
 * |---|---|
 * | person_id, sex, birth_date | of the profile |
 * | age, age_middle, age_before | completed years tonight, half a year and a year before; null when the date of birth is unknown |
 * | category | as in population.residence; null when the person is dead or has gone |
 * | village, village_before | where the person lives, lived a year before; null: not here. Of a year before the first picture nobody knows: `village_before` is null for all |
 * | registered_village | where the person is registered, of those who are registered here |
 * | origin | where the records say that somebody who came is registered |
 * | household_number | of the register |
 * | died_on | in the twelve months |
 */
export async function createPresence(tx: Transaction<DB>, day: IndicatorDay): Promise<void> {
  const { asOf, from, knowsBefore } = day;
  await createDeaths(tx, day);
  await sql`
    CREATE TEMPORARY TABLE presence ON COMMIT DROP AS
    SELECT k.person_id, k.sex, k.birth_date,
           extract(year FROM age(${asOf}::date, k.birth_date))::integer AS age,
           extract(year FROM age(${from}::date, k.birth_date))::integer AS age_before,
           -- Less than none: not born.
           CASE WHEN k.birth_date > ${asOf}::date - interval '6 months' THEN -1
                ELSE extract(year FROM age(${asOf}::date - interval '6 months', k.birth_date))::integer END AS age_middle,
           n.category, n.living_division AS village, b.living_division AS village_before,
           n.registered_division AS registered_village,
           CASE WHEN n.category = 'in_migrant' THEN k.registered_division END AS origin,
           t.household_number, d.died_on
    FROM (SELECT person_id, category, living_division, registered_division
          FROM population.residence WHERE until IS NULL) n
    -- On one day a person lives in one place.
    FULL JOIN (SELECT person_id, living_division FROM population.residence_on(${from}::date)
               WHERE category <> 'out_migrant' AND ${knowsBefore}) b USING (person_id)
    JOIN population.person k USING (person_id)
    LEFT JOIN population.standing t USING (person_id)
    LEFT JOIN died d USING (person_id)`.execute(tx);
  await sql`ANALYZE presence`.execute(tx);
}

/**
 * `died`: who lived here and died in the twelve months, each once, by the best date that the registers have.
 *
 * Where they lived: as the picture has it; for deaths of before the first picture, where they were registered.
 * Who was known to live elsewhere, or was not known here at all, is not among them.
 */
async function createDeaths(tx: Transaction<DB>, { asOf, from }: IndicatorDay): Promise<void> {
  await sql`
    CREATE TEMPORARY TABLE died ON COMMIT DROP AS
    WITH dead AS (
      SELECT person_id, sex, birth_date, death_date FROM population.person
      WHERE death_date > ${from}::date AND death_date <= ${asOf}::date),
    lived AS (
      SELECT DISTINCT ON (r.person_id) r.person_id, r.category, r.living_division
      FROM dead JOIN population.residence r USING (person_id) ORDER BY r.person_id, r.since DESC),
    registered AS (
      SELECT DISTINCT ON (l.person_id) l.person_id, h.registered_division
      FROM dead JOIN identity.link l USING (person_id) JOIN identity.mention m USING (mention_id)
      JOIN registry.household_register h USING (source_key)
      WHERE m.active AND m.feed = 'household_register'
      ORDER BY l.person_id, h.updated_at DESC, h.source_key)
    SELECT d.person_id, d.sex, d.birth_date, d.death_date AS died_on,
           greatest(extract(year FROM age(d.death_date, d.birth_date))::integer, 0) AS age,
           coalesce(v.living_division, r.registered_division) AS village
    FROM dead d LEFT JOIN lived v USING (person_id) LEFT JOIN registered r USING (person_id)
    WHERE coalesce(v.category <> 'out_migrant', r.person_id IS NOT NULL)`.execute(tx);
  await sql`ANALYZE died`.execute(tx);
}
