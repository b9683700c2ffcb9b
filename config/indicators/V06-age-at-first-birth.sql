/*
indicator: V06
title: { zh: 平均初育年龄, en: Mean age at first recorded birth }
formula: 12 个月内生育、且登记中没有更早出生的子女的母亲，其生育时的平均年龄。
unit: 岁 years
period: twelve months
feeds: [residents, birth_certificate]
form: mean
within: [V01]
source: 'Siegel, J. S., Swanson, D. A. (eds.). The Methods and Materials of Demography, 2nd ed. (2004), ch. 15'
note: 早于数据的子女如不在户籍登记的同户关系或出生证中，无法得知。
*/
WITH mother AS (
  SELECT DISTINCT ON (b.mother_id) b.mother_id, b.village, (b.born_on - k.birth_date) / 365.2425 AS age
  FROM born b JOIN population.person k ON k.person_id = b.mother_id
  WHERE k.birth_date IS NOT NULL AND NOT EXISTS (
    SELECT FROM population.relation r JOIN population.person c ON c.person_id = r.other_person_id
    WHERE r.person_id = b.mother_id AND r.kind = 'child' AND c.birth_date < b.born_on)
  ORDER BY b.mother_id, b.born_on),
counted AS (
  SELECT p.division, count(*) AS mothers, sum(m.age) AS ages
  FROM mother m JOIN place p ON p.leaf = m.village GROUP BY p.division)
SELECT i.division, c.ages / nullif(c.mothers, 0) AS value, c.ages AS numerator, coalesce(c.mothers, 0) AS denominator
FROM inhabitants i LEFT JOIN counted c USING (division)
