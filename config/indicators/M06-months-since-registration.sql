/*
indicator: M06
title: { zh: 平均居留月数, en: Mean months since residence registration }
formula: 有效居住登记的登记日期至今的平均月数（每人取最早的有效登记）。按登记的现住地。
unit: 月 months
period: day
feeds: [residence_registration]
form: mean
within: [M02]
*/
WITH earliest AS (
  SELECT DISTINCT ON (l.person_id) r.living_division, (:as_of::date - r.registered_on) / 30.436875 AS months
  FROM registry.residence_registration r
  JOIN identity.mention m ON m.source_key = r.source_key AND m.feed = 'residence_registration' AND m.active
  JOIN identity.link l USING (mention_id) JOIN population.person k USING (person_id)
  WHERE r.registered_on <= :as_of::date AND r.valid_until >= :as_of::date AND k.death_date IS NULL
  ORDER BY l.person_id, r.registered_on, r.source_key),
counted AS (
  SELECT p.division, count(*) AS persons, sum(r.months) AS months
  FROM earliest r JOIN place p ON p.leaf = r.living_division GROUP BY p.division)
SELECT i.division, c.months / nullif(c.persons, 0) AS value, c.months AS numerator, coalesce(c.persons, 0) AS denominator
FROM inhabitants i LEFT JOIN counted c USING (division)
