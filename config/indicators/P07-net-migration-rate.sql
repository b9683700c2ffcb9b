/*
indicator: P07
title: { zh: 净迁移率, en: Net migration rate }
formula: （12 个月内迁入 − 迁出）/ 平均常住人口 × 1000。迁入：年初不在本区划居住、现在居住，出生的不计；迁出：相反，死亡的不计。乡镇和村的数字含县内迁移。
unit: ‰
period: twelve months
feeds: [residents]
compares: true
form: ratio
parts: [came, went]
within: [P02]
source: 'Siegel, J. S., Swanson, D. A. (eds.). The Methods and Materials of Demography, 2nd ed. (2004), ch. 19: net migration rate'
*/
WITH moved AS (
  SELECT * FROM presence WHERE village IS DISTINCT FROM village_before),
side AS (
  SELECT p.division, m.person_id, 1 AS came FROM moved m JOIN place p ON p.leaf = m.village
  WHERE coalesce(m.birth_date <= :from::date, true)
  UNION ALL
  SELECT p.division, m.person_id, -1 FROM moved m JOIN place p ON p.leaf = m.village_before
  WHERE m.died_on IS NULL),
-- Who moved within a division has not moved by its count.
net AS (
  SELECT division, person_id, sum(came) AS came FROM side GROUP BY division, person_id),
counted AS (
  SELECT division, count(*) FILTER (WHERE came > 0) AS came, count(*) FILTER (WHERE came < 0) AS went
  FROM net GROUP BY division)
SELECT i.division, 1000.0 * (coalesce(c.came, 0) - coalesce(c.went, 0)) / nullif(i.mean_residents, 0) AS value,
       coalesce(c.came, 0) - coalesce(c.went, 0) AS numerator, i.mean_residents AS denominator,
       coalesce(c.came, 0) AS came, coalesce(c.went, 0) AS went
FROM inhabitants i LEFT JOIN counted c USING (division)
