/*
indicator: S11
title: { zh: 独居老人率, en: Share of those aged 65 and over who live alone }
formula: 65 岁及以上常住人口中，同户无其他常住人员、同一房屋也无其他居住者的人数所占比例。
unit: "%"
period: day
feeds: [residents]
form: share
within: [S02]
*/
WITH resident AS (
  SELECT person_id, category, household_number, village, age FROM presence WHERE village IS NOT NULL),
-- Who is registered at an address lives there when local. Who registered to live, or rents, does while it is in force.
housed AS (
  SELECT DISTINCT d.dwelling_id, r.person_id
  FROM population.dwelling_person d JOIN resident r USING (person_id)
  WHERE (d.relation = 'registered' AND r.category = 'local')
     OR (d.relation IN ('lives', 'leases') AND coalesce(d.since <= :as_of::date, true) AND coalesce(d.until >= :as_of::date, true))),
accompanied AS (
  SELECT person_id FROM (SELECT person_id, count(*) OVER (PARTITION BY dwelling_id) AS persons FROM housed) h WHERE persons > 1
  UNION
  SELECT person_id FROM (
    SELECT person_id, count(*) OVER (PARTITION BY household_number) AS persons
    FROM resident WHERE household_number IS NOT NULL) h WHERE persons > 1),
counted AS (
  SELECT p.division, count(*) FILTER (WHERE a.person_id IS NULL) AS alone, count(*) AS old
  FROM resident r JOIN place p ON p.leaf = r.village LEFT JOIN accompanied a USING (person_id)
  WHERE r.age >= 65 GROUP BY p.division)
SELECT i.division, 100.0 * c.alone / nullif(c.old, 0) AS value,
       coalesce(c.alone, 0) AS numerator, coalesce(c.old, 0) AS denominator
FROM inhabitants i LEFT JOIN counted c USING (division)
