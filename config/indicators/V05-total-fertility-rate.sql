/*
indicator: V05
title: { zh: 总和生育率, en: Total fertility rate }
formula: 5 × Σ（15–49 岁各五岁组）12 个月内该组母亲的出生数 / 该组平均常住女性。母亲不满 15 岁的计入第一组，50 岁及以上的计入最后一组；年龄不明的按已知的分布。
unit: 孩/妇女 children per woman
period: twelve months
feeds: [residents, birth_certificate]
form: ratio
within: [V01]
source: '国家统计局统计指标解释：人口（总和生育率）；Siegel, J. S., Swanson, D. A. (eds.). The Methods and Materials of Demography, 2nd ed. (2004), ch. 15'
*/
WITH birth AS (
  SELECT p.division, least(greatest(b.mother_age, 15), 49) / 5 * 5 AS age_group, count(*) AS births
  FROM born b JOIN place p ON p.leaf = b.village GROUP BY 1, 2),
women AS (
  SELECT division, age / 5 * 5 AS age_group, sum(mean_persons) AS women
  FROM age_count WHERE sex = '2' AND age BETWEEN 15 AND 49 GROUP BY 1, 2),
rate AS (
  SELECT division, sum(b.births) AS births, sum(b.births) FILTER (WHERE age_group IS NOT NULL) AS of_known_age,
         sum(w.women) AS women, 5 * sum(b.births / nullif(w.women, 0)) AS fertility,
         bool_or(b.births > 0 AND age_group IS NOT NULL AND coalesce(w.women, 0) = 0) AS is_broken
  FROM birth b FULL JOIN women w USING (division, age_group) GROUP BY division)
SELECT i.division,
       CASE WHEN NOT r.is_broken AND r.women > 0
            THEN coalesce(r.fertility * r.births / nullif(r.of_known_age, 0), 0) END AS value,
       coalesce(r.births, 0) AS numerator, coalesce(r.women, 0) AS denominator
FROM inhabitants i LEFT JOIN rate r USING (division)
