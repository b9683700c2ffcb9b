import { type RawBuilder, sql, type Transaction } from 'kysely';
import type { DB } from '../../schema/database.ts';
import type { IndicatorDay } from './indicator-file.ts';

/**
 * Makes what indicators count by, once a night.
 *
 * - `place` (leaf, division): every code that a record may give, with the divisions that it lies in: the county, the
 *   township, the village, as far as they exist today. A count by leaf, joined with it, is a count by division.
 * - `mention_count` (leaf, feed, mentions, valid_id, linked); a leaf that is null is not told
 * - `age_count` (division, sex, age, persons, persons_before, mean_persons): sex 1 or 2, or 9; age null when unknown
 * - `inhabitants` (division, …): one row a division where anybody lives, lived a year before, or is registered
 *
 * The mean of a year is that of its two ends; in the first year of pictures, when only the end is known, it is the end; ages
 * are then those of the middle of the year.
 *
 * Before: `presence` and the events.
 */
export async function createCounts(tx: Transaction<DB>, day: IndicatorDay): Promise<void> {
  await countMentions(tx);
  await createPlaces(tx, day);
  await countAges(tx, day);
  await countInhabitants(tx, day);
}

async function countMentions(tx: Transaction<DB>): Promise<void> {
  await sql`
    CREATE TEMPORARY TABLE mention_count ON COMMIT DROP AS
    SELECT m.division AS leaf, m.feed, count(*) AS mentions, count(m.id_number) AS valid_id,
           count(*) FILTER (WHERE l.method NOT IN ('single', 'name_conflict')) AS linked
    FROM identity.mention m LEFT JOIN identity.link l USING (mention_id)
    WHERE m.active GROUP BY m.division, m.feed`.execute(tx);
}

/** A village or township that the table of divisions does not have counts for what is above it. */
async function createPlaces(tx: Transaction<DB>, { county }: IndicatorDay): Promise<void> {
  const here = `${county.slice(0, 6)}%`;
  await sql`
    CREATE TEMPORARY TABLE place ON COMMIT DROP AS
    WITH leaf AS (
      SELECT code FROM reference.division WHERE code LIKE ${here}
      UNION SELECT ${county}
      UNION SELECT village FROM presence
      UNION SELECT village_before FROM presence
      UNION SELECT registered_village FROM presence
      UNION SELECT village FROM born
      UNION SELECT leaf FROM mention_count
      UNION SELECT division FROM population.household)
    SELECT leaf.code AS leaf, above.code AS division
    FROM leaf CROSS JOIN LATERAL (
      SELECT ${county} AS code
      UNION SELECT d.code FROM reference.division d WHERE d.code IN (left(leaf.code, 9) || '000', leaf.code)) above
    WHERE leaf.code LIKE ${here}`.execute(tx);
  await sql`CREATE UNIQUE INDEX ON place (leaf, division)`.execute(tx);
  await sql`ANALYZE place`.execute(tx);
}

async function countAges(tx: Transaction<DB>, { knowsBefore }: IndicatorDay): Promise<void> {
  // In the middle of the year those who are here were half a year younger, and the youngest were not born.
  const mean = knowsBefore ? sql`(sum(c.persons) + sum(c.persons_before)) / 2.0` : sql`sum(c.persons_middle)`;
  await sql`
    CREATE TEMPORARY TABLE age_count ON COMMIT DROP AS
    WITH cell AS (
      SELECT leaf, sex, age, sum(persons) AS persons, sum(persons_before) AS persons_before,
             sum(persons_middle) AS persons_middle
      FROM (SELECT village AS leaf, sex, age, count(*) AS persons, 0 AS persons_before, 0 AS persons_middle
            FROM presence WHERE village IS NOT NULL GROUP BY 1, 2, 3
            UNION ALL
            SELECT village_before, sex, age_before, 0, count(*), 0
            FROM presence WHERE village_before IS NOT NULL GROUP BY 1, 2, 3
            UNION ALL
            SELECT village, sex, age_middle, 0, 0, count(*)
            FROM presence WHERE village IS NOT NULL AND coalesce(age_middle >= 0, true) GROUP BY 1, 2, 3) told
      GROUP BY leaf, sex, age)
    SELECT p.division, coalesce(c.sex, '9') AS sex, c.age, sum(c.persons)::integer AS persons,
           sum(c.persons_before)::integer AS persons_before, ${mean} AS mean_persons
    FROM cell c JOIN place p USING (leaf)
    GROUP BY p.division, coalesce(c.sex, '9'), c.age`.execute(tx);
  await sql`CREATE INDEX ON age_count (division)`.execute(tx);
  await sql`ANALYZE age_count`.execute(tx);
}

async function countInhabitants(tx: Transaction<DB>, { knowsBefore }: IndicatorDay): Promise<void> {
  const aged = (range: RawBuilder<unknown>): RawBuilder<unknown> =>
    sql`coalesce(sum(persons) FILTER (WHERE age ${range}), 0)`;
  const living = (category: string): RawBuilder<unknown> =>
    sql`sum(persons) FILTER (WHERE lives AND category = ${sql.lit(category)})`;
  await sql`
    CREATE TEMPORARY TABLE inhabitants ON COMMIT DROP AS
    WITH aged AS (
      SELECT division, sum(persons) AS residents, sum(persons_before) AS residents_before,
             coalesce(sum(persons) FILTER (WHERE sex = '1'), 0) AS men,
             coalesce(sum(persons) FILTER (WHERE sex = '2'), 0) AS women,
             ${aged(sql`IS NOT NULL`)} AS of_known_age, ${aged(sql`BETWEEN 0 AND 14`)} AS age_0_14,
             ${aged(sql`BETWEEN 15 AND 59`)} AS age_15_59, ${aged(sql`BETWEEN 15 AND 64`)} AS age_15_64,
             ${aged(sql`BETWEEN 16 AND 59`)} AS age_16_59, ${aged(sql`>= 16`)} AS age_16, ${aged(sql`>= 60`)} AS age_60,
             ${aged(sql`>= 65`)} AS age_65, ${aged(sql`>= 80`)} AS age_80
      FROM age_count GROUP BY division),
    leaf AS (
      SELECT village AS leaf, true AS lives, category, count(*) AS persons
      FROM presence WHERE village IS NOT NULL GROUP BY village, category
      UNION ALL
      SELECT registered_village, false, category, count(*)
      FROM presence WHERE category <> 'in_migrant' GROUP BY registered_village, category),
    told AS (
      SELECT p.division, ${living('local')} AS local, ${living('separated')} AS separated,
             ${living('in_migrant')} AS in_migrants,
             sum(persons) FILTER (WHERE NOT lives AND category = 'out_migrant') AS out_migrants,
             sum(persons) FILTER (WHERE NOT lives) AS registered
      FROM leaf JOIN place p USING (leaf) GROUP BY p.division)
    SELECT division, coalesce(a.residents, 0)::integer AS residents,
           CASE WHEN ${knowsBefore} THEN coalesce(a.residents_before, 0)::integer END AS residents_before,
           coalesce(CASE WHEN ${knowsBefore} THEN (a.residents + a.residents_before) / 2.0 ELSE a.residents END, 0) AS mean_residents,
           ${sql.join(
             [
               ...[
                 'men',
                 'women',
                 'of_known_age',
                 'age_0_14',
                 'age_15_59',
                 'age_15_64',
                 'age_16_59',
                 'age_16',
               ],
               ...[
                 'age_60',
                 'age_65',
                 'age_80',
                 'local',
                 'separated',
                 'in_migrants',
                 'out_migrants',
                 'registered',
               ],
             ].map((name) => sql`coalesce(${sql.id(name)}, 0)::integer AS ${sql.id(name)}`),
           )}
    FROM aged a FULL JOIN told USING (division)`.execute(tx);
  await sql`CREATE UNIQUE INDEX ON inhabitants (division)`.execute(tx);
  await sql`ANALYZE inhabitants`.execute(tx);
}
