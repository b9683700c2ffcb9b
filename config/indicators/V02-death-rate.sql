/*
indicator: V02
title: { zh: 死亡率, en: Crude death rate }
formula: 12 个月内死亡的常住人口 / 平均常住人口 × 1000。死亡日期以殡葬登记为先，无殡葬登记的以户籍死亡注销为准，一人只计一次。
unit: ‰
period: twelve months
feeds: [residents, death_registration]
form: ratio
within: [P02]
source: '国家统计局统计指标解释：人口（死亡率）；UN DESA. Principles and Recommendations for a Vital Statistics System, Revision 3 (2014)'
*/
WITH counted AS (
  SELECT p.division, count(*) AS deaths FROM died d JOIN place p ON p.leaf = d.village GROUP BY p.division)
SELECT i.division, 1000.0 * coalesce(c.deaths, 0) / nullif(i.mean_residents, 0) AS value,
       coalesce(c.deaths, 0) AS numerator, i.mean_residents AS denominator
FROM inhabitants i LEFT JOIN counted c USING (division)
