/*
indicator: P06
title: { zh: 跨省流入占比, en: Share of in-migrants from another province }
formula: 户籍地已知的流入人口中，户籍在其他省份者所占比例。
unit: "%"
period: day
feeds: [residence_registration, social_insurance, housing_lease, school_enrolment]
form: share
within: [P03]
source: '国家统计局统计指标解释：人口（跨省流动人口）'
*/
WITH counted AS (
  SELECT p.division, count(*) FILTER (WHERE left(r.origin, 2) <> left(:county, 2)) AS elsewhere, count(r.origin) AS known
  FROM presence r JOIN place p ON p.leaf = r.village
  WHERE r.category = 'in_migrant' GROUP BY p.division)
SELECT i.division, 100.0 * c.elsewhere / nullif(c.known, 0) AS value,
       coalesce(c.elsewhere, 0) AS numerator, coalesce(c.known, 0) AS denominator
FROM inhabitants i LEFT JOIN counted c USING (division)
