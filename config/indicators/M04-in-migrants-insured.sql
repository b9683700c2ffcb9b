/*
indicator: M04
title: { zh: 流动人口参保率, en: Share of working-age in-migrants who are insured }
formula: 16–59 岁流入人口中，有任一险种正常参保者所占比例。
unit: "%"
period: day
feeds: [residents]
form: share
within: [P03]
*/
WITH counted AS (
  SELECT p.division, count(*) FILTER (WHERE h.has_cover) AS found, count(*) AS persons
  FROM presence r JOIN place p ON p.leaf = r.village LEFT JOIN insured h USING (person_id)
  WHERE r.category = 'in_migrant' AND r.age BETWEEN 16 AND 59 GROUP BY p.division)
SELECT i.division, 100.0 * c.found / nullif(c.persons, 0) AS value,
       coalesce(c.found, 0) AS numerator, coalesce(c.persons, 0) AS denominator
FROM inhabitants i LEFT JOIN counted c USING (division)
