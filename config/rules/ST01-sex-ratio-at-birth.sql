/*
rule: ST01
title: { zh: 出生性别比超出控制限, en: Sex ratio at birth outside the control limits }
severity: medium
owner: health
evaluates: everything
parameters: { ratio: 106, births: 100, sigmas: 3 }
definition: 截至上月末的 12 个月内出生（按母亲现住地，无现住地按户籍地）的男女婴之比，超出以 106 为中心的 3 倍标准差二项分布漏斗。县和乡镇分别计算，不足 100 例出生的不判断。
resolved_by: 卫健核对出生医学证明的性别登记和报送是否完整；情况属实的如实办结，不作为对任何家庭的结论。
*/
-- The county is that in which the household register has most of its persons.
WITH county AS MATERIALIZED (
  SELECT left(division, 6) AS code FROM population.register_division
  GROUP BY 1 ORDER BY sum(records) DESC, 1 LIMIT 1),
birth AS (
  SELECT child_sex, coalesce(mother_living_division, mother_registered_division) AS division
  FROM registry.birth_certificate
  WHERE child_sex IN ('1', '2')
    AND child_birth_date >= (SELECT date_trunc('month', :as_of::date)::date - interval '12 months')
    AND child_birth_date < (SELECT date_trunc('month', :as_of::date)::date)),
counted AS (
  SELECT d.division, count(*) AS births, count(*) FILTER (WHERE b.child_sex = '1') AS boys
  FROM birth b
  CROSS JOIN LATERAL (VALUES (left(b.division, 6) || '000000'), (left(b.division, 9) || '000')) AS d (division)
  WHERE b.division LIKE (SELECT code FROM county) || '%'
  GROUP BY d.division HAVING count(*) >= :births::integer),
funnel AS (
  SELECT c.*, :ratio::float8 / (100 + :ratio::float8) AS expected,
         sqrt(:ratio::float8 / (100 + :ratio::float8) * 100 / (100 + :ratio::float8) / births) AS deviation
  FROM counted c)
SELECT f.division || ' ' || to_char(:as_of::date - interval '1 month', 'YYYY') AS subject,
       NULL::text AS feed, NULL::text AS source_key, NULL::text AS role, NULL::bigint AS person_id, f.division,
       jsonb_build_object(
         'births', f.births, 'boys', f.boys, 'girls', f.births - f.boys,
         'sex_ratio', round(100.0 * f.boys / nullif(f.births - f.boys, 0), 1),
         'lower_limit', round((100 * (f.expected - :sigmas * f.deviation) / (1 - f.expected + :sigmas * f.deviation))::numeric, 1),
         'upper_limit', round((100 * (f.expected + :sigmas * f.deviation) / (1 - f.expected - :sigmas * f.deviation))::numeric, 1)) AS evidence
FROM funnel f
WHERE abs(f.boys::float8 / f.births - f.expected) > :sigmas * f.deviation
