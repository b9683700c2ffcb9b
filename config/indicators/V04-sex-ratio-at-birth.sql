/*
indicator: V04
title: { zh: 出生性别比, en: Sex ratio at birth }
formula: 12 个月内出生的男婴 / 女婴 × 100。low 和 high 是其 95% 置信区间：男婴比例的 Wilson 区间换算为性别比。
unit: 每百名女婴 per 100 girls
period: twelve months
feeds: [birth_certificate, residents]
form: ratio
within: [V01]
series: 空为性别比，low 和 high 为区间两端
parameters: { z: 1.959964 }
source: 'Wilson, E. B., JASA 22 (1927) 209–212; Brown, Cai, DasGupta, Statistical Science 16 (2001) 101–133'
*/
WITH counted AS (
  SELECT p.division, count(*) FILTER (WHERE b.sex = '1') AS boys, count(*) FILTER (WHERE b.sex = '2') AS girls
  FROM born b JOIN place p ON p.leaf = b.village GROUP BY p.division),
told AS (
  SELECT i.division, coalesce(c.boys, 0) AS boys, coalesce(c.girls, 0) AS girls,
         nullif(coalesce(c.boys, 0) + coalesce(c.girls, 0), 0)::float8 AS births
  FROM inhabitants i LEFT JOIN counted c USING (division)),
wilson AS (
  SELECT *, (boys / births + :z::float8 ^ 2 / (2 * births)) / (1 + :z::float8 ^ 2 / births) AS centre,
         :z::float8 / (1 + :z::float8 ^ 2 / births) * sqrt(boys / births * (1 - boys / births) / births + :z::float8 ^ 2 / (4 * births ^ 2)) AS half
  FROM told)
SELECT w.division, v.series, v.value, w.boys AS numerator, w.girls AS denominator
FROM wilson w CROSS JOIN LATERAL (VALUES
  ('', 100.0 * w.boys / nullif(w.girls, 0)),
  ('low', 100 * (w.centre - w.half) / (1 - w.centre + w.half)),
  ('high', 100 * (w.centre + w.half) / nullif(1 - w.centre - w.half, 0))) AS v (series, value)
