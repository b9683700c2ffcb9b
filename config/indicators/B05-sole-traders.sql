/*
indicator: B05
title: { zh: 个体经营者占比, en: Share of sole traders among those of working age }
formula: 16–59 岁常住人口中，在营个体工商户经营者所占比例。
unit: "%"
period: day
feeds: [residents, sole_trader]
form: share
within: [P02]
*/
WITH holder AS (
  SELECT DISTINCT l.person_id
  FROM registry.sole_trader r
  JOIN identity.mention m ON m.source_key = r.source_key AND m.feed = 'sole_trader' AND m.active
  JOIN identity.link l USING (mention_id)
  WHERE r.status = 'active'),
counted AS (
  SELECT p.division, count(*) FILTER (WHERE h.person_id IS NOT NULL) AS found, count(*) AS persons
  FROM presence r JOIN place p ON p.leaf = r.village LEFT JOIN holder h USING (person_id)
  WHERE r.age BETWEEN 16 AND 59 AND r.village IS NOT NULL GROUP BY p.division)
SELECT i.division, 100.0 * c.found / nullif(c.persons, 0) AS value,
       coalesce(c.found, 0) AS numerator, coalesce(c.persons, 0) AS denominator
FROM inhabitants i LEFT JOIN counted c USING (division)
