/*
indicator: S12
title: { zh: 人口金字塔, en: Population pyramid }
formula: 常住人口按性别和周岁，90 岁及以上合为一组（series 的 90）。
unit: 人 persons
period: day
feeds: [residents]
form: count
within: [S01, S02, S06]
block_by: age_group
series: 性别（GB/T 2261.1）和周岁，如 2.34 是 34 岁女性
source: 'Siegel, J. S., Swanson, D. A. (eds.). The Methods and Materials of Demography, 2nd ed. (2004), ch. 7'
*/
WITH grid AS (
  SELECT i.division, s.sex, a.age FROM inhabitants i
  CROSS JOIN (VALUES ('1'), ('2')) AS s (sex) CROSS JOIN generate_series(0, 90) AS a (age)),
counted AS (
  SELECT division, sex, least(age, 90) AS age, sum(persons) AS persons
  FROM age_count WHERE age IS NOT NULL GROUP BY division, sex, least(age, 90))
SELECT g.division, g.sex || '.' || lpad(g.age::text, 2, '0') AS series, coalesce(c.persons, 0) AS value,
       NULL::integer AS numerator, NULL::integer AS denominator,
       -- The groups that other indicators tell of: within each, all ages are shown or none is.
       CASE WHEN g.age < 15 THEN '0-14' WHEN g.age < 60 THEN '15-59' WHEN g.age < 65 THEN '60-64'
            WHEN g.age < 80 THEN '65-79' ELSE '80+' END AS age_group
FROM grid g LEFT JOIN counted c USING (division, sex, age)
