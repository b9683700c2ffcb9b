/*
indicator: B02
title: { zh: 医保参保率, en: Share of residents with health insurance }
formula: 常住人口中，职工或居民医疗保险正常参保者所占比例。
unit: "%"
period: day
feeds: [residents]
form: share
within: [P02]
source: 《中华人民共和国社会保险法》第三章
*/
WITH counted AS (
  SELECT p.division, count(*) FILTER (WHERE h.has_health) AS found, count(*) AS persons
  FROM presence r JOIN place p ON p.leaf = r.village LEFT JOIN insured h USING (person_id)
  WHERE r.village IS NOT NULL GROUP BY p.division)
SELECT i.division, 100.0 * c.found / nullif(c.persons, 0) AS value,
       coalesce(c.found, 0) AS numerator, coalesce(c.persons, 0) AS denominator
FROM inhabitants i LEFT JOIN counted c USING (division)
