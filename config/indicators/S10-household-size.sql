/*
indicator: S10
title: { zh: 户均人口, en: Persons per household }
formula: 户籍登记中状态正常的人员 / 户数，按户主的户籍地。
unit: 人/户 persons
period: day
feeds: [household_register]
form: ratio
within: [P01]
source: '国家统计局统计指标解释：人口（平均家庭户规模）；家庭户按户籍'
*/
WITH counted AS (
  SELECT p.division, sum(h.members) AS members, count(*) AS households
  FROM population.household h JOIN place p ON p.leaf = h.division GROUP BY p.division)
SELECT i.division, 1.0 * c.members / nullif(c.households, 0) AS value,
       coalesce(c.members, 0) AS numerator, coalesce(c.households, 0) AS denominator
FROM inhabitants i LEFT JOIN counted c USING (division)
