/*
indicator: M02
title: { zh: 居住登记有效率, en: Share of residence registrations that are in force }
formula: 有居住登记的在世人员（每人取最近一次）中，登记未过期的比例。按登记的现住地。
unit: "%"
period: day
feeds: [residence_registration]
form: share
source: 《居住证暂行条例》（国务院令第 663 号）第十条
*/
WITH latest AS (
  SELECT DISTINCT ON (l.person_id) r.living_division, r.valid_until
  FROM registry.residence_registration r
  JOIN identity.mention m ON m.source_key = r.source_key AND m.feed = 'residence_registration' AND m.active
  JOIN identity.link l USING (mention_id) JOIN population.person k USING (person_id)
  WHERE r.registered_on <= :as_of::date AND k.death_date IS NULL
  ORDER BY l.person_id, r.valid_until DESC, r.source_key),
counted AS (
  SELECT p.division, count(*) FILTER (WHERE r.valid_until >= :as_of::date) AS found, count(*) AS persons
  FROM latest r JOIN place p ON p.leaf = r.living_division GROUP BY p.division)
SELECT i.division, 100.0 * c.found / nullif(c.persons, 0) AS value,
       coalesce(c.found, 0) AS numerator, coalesce(c.persons, 0) AS denominator
FROM inhabitants i LEFT JOIN counted c USING (division)
