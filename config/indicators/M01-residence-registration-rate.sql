/*
indicator: M01
title: { zh: 居住登记率, en: Share of in-migrants with a residence registration }
formula: 流入人口中有有效居住登记者所占比例。
unit: "%"
period: day
feeds: [residents]
form: share
within: [P03]
source: 《居住证暂行条例》（国务院令第 663 号）
note: 分母是识别出的流入人口；未被任何登记发现的，见 population.resident_estimate。
*/
WITH holder AS (
  SELECT DISTINCT l.person_id
  FROM registry.residence_registration r
  JOIN identity.mention m ON m.source_key = r.source_key AND m.feed = 'residence_registration' AND m.active
  JOIN identity.link l USING (mention_id)
  WHERE r.registered_on <= :as_of::date AND r.valid_until >= :as_of::date),
counted AS (
  SELECT p.division, count(*) FILTER (WHERE h.person_id IS NOT NULL) AS found, count(*) AS persons
  FROM presence r JOIN place p ON p.leaf = r.village LEFT JOIN holder h USING (person_id)
  WHERE r.category = 'in_migrant' GROUP BY p.division)
SELECT i.division, 100.0 * c.found / nullif(c.persons, 0) AS value,
       coalesce(c.found, 0) AS numerator, coalesce(c.persons, 0) AS denominator
FROM inhabitants i LEFT JOIN counted c USING (division)
