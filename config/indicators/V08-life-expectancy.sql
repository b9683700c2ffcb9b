/*
indicator: V08
title: { zh: 预期寿命, en: Life expectancy at birth }
formula: e₀，Chiang 简略寿命表：0、1–4、5–9 … 80–84、85 岁及以上；组死亡率 = 12 个月内死亡 / 平均常住人口。平均人口不足 5000 或最高组无死亡的不计算。
unit: 岁 years
period: twelve months
feeds: [residents, death_registration]
form: mean
parts: [numerator, denominator]
within: [V02]
parameters: { least_residents: 5000 }
source: 'Chiang, C. L. The Life Table and Its Applications (1984), ch. 6; Toson, B., Baker, A. Life expectancy at birth: methodological options for small populations (ONS, 2003)'
*/
WITH lived AS (
  SELECT division, CASE WHEN age = 0 THEN 0 WHEN age < 5 THEN 1 ELSE least(age, 85) / 5 * 5 END AS age_group,
         sum(mean_persons) AS years, 0 AS deaths
  FROM age_count WHERE age >= 0 GROUP BY 1, 2),
dead AS (
  SELECT p.division, CASE WHEN d.age = 0 THEN 0 WHEN d.age < 5 THEN 1 ELSE least(d.age, 85) / 5 * 5 END AS age_group,
         0 AS years, count(*) AS deaths
  FROM died d JOIN place p ON p.leaf = d.village WHERE d.age IS NOT NULL GROUP BY 1, 2),
large AS (
  SELECT division FROM inhabitants WHERE mean_residents >= :least_residents::numeric),
-- Chiang's fraction of the interval that those who die in it have lived.
age_group AS (
  SELECT *, CASE age_group WHEN 0 THEN 0.09 WHEN 1 THEN 0.41 ELSE 0.5 END AS fraction,
         CASE age_group WHEN 0 THEN 1 WHEN 1 THEN 4 WHEN 85 THEN NULL ELSE 5 END AS width
  FROM (SELECT 0 AS age_group UNION SELECT 1 UNION SELECT generate_series(5, 85, 5)) g),
rate AS (
  SELECT l.division, g.age_group, g.fraction, g.width, coalesce(sum(v.deaths), 0) AS deaths, coalesce(sum(v.years), 0) AS years,
         coalesce(sum(v.deaths) / nullif(sum(v.years), 0), 0) AS m
  FROM large l CROSS JOIN age_group g
  LEFT JOIN (SELECT * FROM lived UNION ALL SELECT * FROM dead) v ON v.division = l.division AND v.age_group = g.age_group
  GROUP BY l.division, g.age_group, g.fraction, g.width),
dying AS (
  SELECT *, CASE WHEN width IS NULL THEN 1
                 ELSE least(width * m / (1 + (1 - fraction) * width * m), 0.999999) END AS q FROM rate),
surviving AS (
  SELECT *, exp(coalesce(sum(ln(1 - CASE WHEN width IS NULL THEN 0 ELSE q END)) OVER (
              PARTITION BY division ORDER BY age_group ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING), 0)) AS l
  FROM dying)
SELECT division,
       sum(CASE WHEN width IS NULL THEN l / nullif(m, 0) ELSE width * l * (1 - q) + fraction * width * l * q END) AS value,
       sum(deaths) AS numerator, sum(years) AS denominator
FROM surviving GROUP BY division
HAVING bool_and(width IS NOT NULL OR m > 0)
