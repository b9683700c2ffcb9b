/*
indicator: F02
title: { zh: 离婚率, en: Crude divorce rate }
formula: 12 个月内登记离婚的对数 / 平均常住人口 × 1000。按女方现住地，女方不住本县的按男方；双方都不住本县的只计入县。
unit: ‰
period: twelve months
feeds: [residents, marriage_registration]
form: ratio
within: [P02]
source: '民政部《民政事业发展统计公报》（粗离婚率）；UN DESA. Principles and Recommendations for a Vital Statistics System, Revision 3 (2014)'
note: 法院判决和调解的离婚不在登记之内。
*/
WITH counted AS (
  SELECT p.division, count(*) AS couples
  FROM wedded w JOIN place p ON p.leaf = w.village WHERE w.event = '离婚' GROUP BY p.division)
SELECT i.division, 1000.0 * coalesce(c.couples, 0) / nullif(i.mean_residents, 0) AS value,
       coalesce(c.couples, 0) AS numerator, i.mean_residents AS denominator
FROM inhabitants i LEFT JOIN counted c USING (division)
