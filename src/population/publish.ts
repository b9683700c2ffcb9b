import { sql, type Transaction } from 'kysely';
import type { DB } from '../schema/database.ts';
import type { PictureDay } from './sign-kinds.ts';

/** How many years an age group has; the last one begins with the oldest age. */
const YEARS = 5;
const OLDEST = 85;

/**
 * Brings the counts behind reporting.residence: the persons of each category, sex and age group (five years, '0-4' …
 * '85+') who live in the county, in each township, in each village; out-migrants count where they are registered.
 * A count that is as it was is not written.
 *
 * Who is known to live in the county, but not in which village, counts for the county alone.
 */
export async function publishCounts(tx: Transaction<DB>, { asOf, settings }: PictureDay): Promise<void> {
  const county = `${settings.county}000000`;
  // On each birthday that begins an age group, from the oldest: who is born later is in the next one.
  const ages = Array.from({ length: OLDEST / YEARS }, (_, group) => OLDEST - group * YEARS);
  const birthdays = sql`ARRAY(
    SELECT (${asOf}::date - make_interval(years => age) + interval '1 day')::date
    FROM unnest(${ages}::integer[]) WITH ORDINALITY AS u (age, place) ORDER BY place)`;
  const groups = sql`${[`${OLDEST}+`, ...ages.map((age) => `${age - YEARS}-${age - 1}`)]}::text[]`;
  await sql`
    CREATE TEMPORARY TABLE new_count ON COMMIT DROP AS
    WITH village AS (
      SELECT coalesce(r.living_division, r.registered_division) AS division, r.category, t.sex,
             width_bucket(t.birth_date, ${birthdays}) AS born, count(*)::integer AS persons
      FROM population.residence r JOIN population.standing t USING (person_id)
      WHERE r.until IS NULL
      GROUP BY 1, 2, 3, 4),
    place AS (
      SELECT v.division, d.place
      FROM (SELECT DISTINCT division FROM village) v
      CROSS JOIN LATERAL (SELECT ${county} UNION SELECT left(v.division, 9) || '000' UNION SELECT v.division) AS d (place))
    SELECT p.place AS division, v.category, v.sex, coalesce((${groups})[v.born + 1], 'unknown') AS age_group,
           sum(v.persons)::integer AS persons
    FROM village v JOIN place p USING (division)
    GROUP BY p.place, v.category, v.sex, v.born`.execute(tx);
  await sql`CREATE UNIQUE INDEX ON new_count (division, category, sex, age_group)`.execute(tx);
  await sql`
    DELETE FROM population.residence_count c
    WHERE NOT EXISTS (SELECT FROM new_count n WHERE (n.division, n.category, n.sex, n.age_group)
                                                  = (c.division, c.category, c.sex, c.age_group))`.execute(
    tx,
  );
  await sql`
    INSERT INTO population.residence_count AS c (division, category, sex, age_group, persons)
    SELECT division, category, sex, age_group, persons FROM new_count
    ON CONFLICT (division, category, sex, age_group) DO UPDATE SET persons = excluded.persons
      WHERE c.persons <> excluded.persons`.execute(tx);
}
