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
WITH holder AS (
  SELECT DISTINCT l.person_id
  FROM registry.social_insurance r
  JOIN identity.mention m ON m.source_key = r.source_key AND m.feed = 'social_insurance' AND m.active
  JOIN identity.link l USING (mention_id)
  WHERE r.insurance_kind IN ('310', '390') AND r.status = '1'),
counted AS (
  SELECT p.division, count(*) FILTER (WHERE h.person_id IS NOT NULL) AS found, count(*) AS persons
  FROM presence r JOIN place p ON p.leaf = r.village LEFT JOIN holder h USING (person_id)
  WHERE r.village IS NOT NULL GROUP BY p.division)
SELECT i.division, 100.0 * c.found / nullif(c.persons, 0) AS value,
       coalesce(c.found, 0) AS numerator, coalesce(c.persons, 0) AS denominator
FROM inhabitants i LEFT JOIN counted c USING (division)
