/*
indicator: V01
title: { zh: 出生率, en: Crude birth rate }
formula: 12 个月内母亲在本区划居住的出生数 / 平均常住人口 × 1000。
unit: ‰
period: twelve months
feeds: [residents, birth_certificate]
form: ratio
within: [P02]
source: '国家统计局统计指标解释：人口（出生率）；UN DESA. Principles and Recommendations for a Vital Statistics System, Revision 3 (2014)'
*/
WITH counted AS (
  SELECT p.division, count(*) AS births FROM born b JOIN place p ON p.leaf = b.village GROUP BY p.division)
SELECT i.division, 1000.0 * coalesce(c.births, 0) / nullif(i.mean_residents, 0) AS value,
       coalesce(c.births, 0) AS numerator, i.mean_residents AS denominator
FROM inhabitants i LEFT JOIN counted c USING (division)
