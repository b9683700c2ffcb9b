/*
indicator: V03
title: { zh: 自然增长率, en: Rate of natural increase }
formula: （出生 − 死亡）/ 平均常住人口 × 1000。
unit: ‰
period: twelve months
feeds: [residents, birth_certificate, death_registration]
form: ratio
parts: [births, deaths]
within: [V01, V02]
source: '国家统计局统计指标解释：人口（自然增长率）'
*/
WITH event AS (
  SELECT village, 1 AS births, 0 AS deaths FROM born
  UNION ALL
  SELECT village, 0, 1 FROM died),
counted AS (
  SELECT p.division, sum(e.births) AS births, sum(e.deaths) AS deaths
  FROM event e JOIN place p ON p.leaf = e.village GROUP BY p.division)
SELECT i.division, 1000.0 * (coalesce(c.births, 0) - coalesce(c.deaths, 0)) / nullif(i.mean_residents, 0) AS value,
       coalesce(c.births, 0) - coalesce(c.deaths, 0) AS numerator, i.mean_residents AS denominator,
       coalesce(c.births, 0) AS births, coalesce(c.deaths, 0) AS deaths
FROM inhabitants i LEFT JOIN counted c USING (division)
