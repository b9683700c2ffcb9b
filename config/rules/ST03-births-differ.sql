/*
rule: ST03
title: { zh: 出生数部门间不一致, en: Departments differ on the number of births }
severity: medium
owner: health
evaluates: everything
parameters: { percent: 10, births: 50 }
definition: 截至三个月前月末的 12 个月内，卫健签发出生医学证明（母亲户籍在本地）的出生数与户籍登记的同期出生数相差超过 10%。留三个月等待落户。县和乡镇分别计算，两边都不足 50 例的不判断。
resolved_by: 卫健与公安核对漏报、漏登；补报补登后疑点自动关闭。
*/
-- The county is that in which the household register has most of its persons.
WITH county AS MATERIALIZED (
  SELECT left(division, 6) AS code FROM population.register_division
  GROUP BY 1 ORDER BY sum(records) DESC, 1 LIMIT 1),
birth AS (
  SELECT 'health' AS source, child_birth_date AS born_on, mother_registered_division AS division
  FROM registry.birth_certificate
  UNION ALL
  SELECT 'register', birth_date, registered_division FROM registry.household_register WHERE status IN ('1', '3')),
counted AS (
  SELECT d.division, count(*) FILTER (WHERE b.source = 'health') AS by_health,
         count(*) FILTER (WHERE b.source = 'register') AS by_register
  FROM birth b
  CROSS JOIN LATERAL (VALUES (left(b.division, 6) || '000000'), (left(b.division, 9) || '000')) AS d (division)
  WHERE b.born_on >= (SELECT date_trunc('month', :as_of::date)::date - interval '15 months')
    AND b.born_on < (SELECT date_trunc('month', :as_of::date)::date - interval '3 months')
    AND b.division LIKE (SELECT code FROM county) || '%'
  GROUP BY d.division)
SELECT c.division || ' ' || to_char(date_trunc('month', :as_of::date) - interval '3 months 1 day', 'YYYY') AS subject,
       NULL::text AS feed, NULL::text AS source_key, NULL::text AS role, NULL::bigint AS person_id, c.division,
       jsonb_build_object('births_by_health', c.by_health, 'births_in_register', c.by_register,
                          'difference_percent', round(100.0 * (c.by_health - c.by_register) / greatest(c.by_health, c.by_register), 1)) AS evidence
FROM counted c
WHERE greatest(c.by_health, c.by_register) >= :births::integer
  AND 100.0 * abs(c.by_health - c.by_register) > :percent::numeric * greatest(c.by_health, c.by_register)
