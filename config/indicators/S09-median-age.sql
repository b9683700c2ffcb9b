/*
indicator: S09
title: { zh: 年龄中位数, en: Median age }
formula: 常住人口按周岁排列，位于中点者的年龄；在该岁内按均匀分布内插。
unit: 岁 years
period: day
feeds: [residents]
form: mean
within: [P02]
source: 'Siegel, J. S., Swanson, D. A. (eds.). The Methods and Materials of Demography, 2nd ed. (2004), ch. 7: median age of grouped data'
*/
WITH age AS (
  SELECT division, age, sum(persons) AS persons,
         sum(sum(persons)) OVER (PARTITION BY division ORDER BY age) AS reached,
         sum(sum(persons)) OVER (PARTITION BY division) AS total
  FROM age_count WHERE age IS NOT NULL AND persons > 0
  GROUP BY division, age),
middle AS (
  SELECT DISTINCT ON (division) * FROM age WHERE reached >= total / 2.0 ORDER BY division, age)
SELECT i.division, m.age + (m.total / 2.0 - (m.reached - m.persons)) / m.persons AS value,
       NULL::integer AS numerator, i.of_known_age AS denominator
FROM inhabitants i LEFT JOIN middle m USING (division)
