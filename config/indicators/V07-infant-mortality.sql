/*
indicator: V07
title: { zh: 婴儿死亡率, en: Infant mortality rate }
formula: 12 个月内不满 1 周岁的死亡 / 同期出生 × 1000。
unit: ‰
period: twelve months
feeds: [residents, birth_certificate, death_registration]
form: ratio
within: [V01, V02]
source: 'UN DESA. Principles and Recommendations for a Vital Statistics System, Revision 3 (2014): infant mortality rate'
*/
WITH event AS (
  SELECT village, 1 AS births, 0 AS deaths FROM born
  UNION ALL
  SELECT village, 0, 1 FROM died WHERE age = 0),
counted AS (
  SELECT p.division, sum(e.births) AS births, sum(e.deaths) AS deaths
  FROM event e JOIN place p ON p.leaf = e.village GROUP BY p.division)
SELECT i.division, 1000.0 * c.deaths / nullif(c.births, 0) AS value,
       coalesce(c.deaths, 0) AS numerator, coalesce(c.births, 0) AS denominator
FROM inhabitants i LEFT JOIN counted c USING (division)
