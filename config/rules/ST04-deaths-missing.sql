/*
rule: ST04
title: { zh: 死亡漏报, en: Fewer deaths than expected }
severity: medium
owner: civil-affairs
evaluates: everything
parameters: { percent: 80, level: 0.6, deaths: 20 }
definition: 截至上月末的 12 个月内登记的户籍人口死亡数，低于按分年龄性别死亡率推算数的 80%。死亡率用 2000 年人口普查分年龄死亡率乘以水平系数 0.6（寿命已延长），各地应按本地情况设定系数。县和乡镇分别计算，推算不足 20 例的不判断。
resolved_by: 民政与公安核对死亡登记和户口注销的漏报；补报后疑点自动关闭。
*/
-- Rates per 1,000 by age and sex: National Bureau of Statistics, China Statistical Yearbook 2002, table 4-11.
WITH rate (from_age, male, female) AS (VALUES
  (0, 5.25, 6.98), (5, 0.65, 0.44), (10, 0.50, 0.33), (15, 0.77, 0.47), (20, 1.21, 0.72), (25, 1.36, 0.84),
  (30, 1.66, 0.98), (35, 2.15, 1.18), (40, 3.05, 1.70), (45, 4.33, 2.57), (50, 6.71, 4.19), (55, 10.57, 6.63),
  (60, 17.92, 11.43), (65, 29.59, 19.06), (70, 51.03, 34.11), (75, 79.89, 55.70), (80, 133.28, 97.48),
  (85, 188.75, 145.36), (90, 268.63, 231.23), (95, 241.40, 298.02)),
-- The days before which those of an age were born, the oldest first: an age is looked up among them, not reckoned.
born AS MATERIALIZED (
  SELECT array_agg((:as_of::date - make_interval(years => from_age))::date + 1 ORDER BY from_age DESC) AS before FROM rate),
living AS (
  SELECT left(h.registered_division, 9) AS town, h.sex,
         95 - 5 * width_bucket(h.birth_date, (SELECT before FROM born)) AS from_age, count(*) AS persons
  FROM registry.household_register h
  WHERE h.status = '1' AND h.sex IN ('1', '2') AND h.birth_date <= :as_of::date
  GROUP BY 1, 2, 3),
expected AS (
  SELECT l.town, sum(l.persons * CASE l.sex WHEN '1' THEN r.male ELSE r.female END) * :level::numeric / 1000 AS deaths
  FROM living l JOIN rate r USING (from_age) GROUP BY l.town),
-- A death counts for the village where the household register has, or had, the person.
dead AS (
  SELECT left(h.registered_division, 9) AS town, count(DISTINCT own.person_id) AS deaths
  FROM registry.death_registration d
  JOIN identity.mention m ON m.feed = 'death_registration' AND m.source_key = d.source_key AND m.active
  JOIN identity.link l USING (mention_id)
  JOIN identity.link own ON own.person_id = l.person_id
  JOIN identity.mention o ON o.mention_id = own.mention_id AND o.feed = 'household_register' AND o.active
  JOIN registry.household_register h ON h.source_key = o.source_key
  WHERE d.died_on >= (SELECT date_trunc('month', :as_of::date)::date - interval '12 months')
    AND d.died_on < (SELECT date_trunc('month', :as_of::date)::date)
  GROUP BY 1),
counted AS (
  SELECT v.division, sum(e.deaths) AS expected, coalesce(sum(d.deaths), 0) AS registered
  FROM expected e LEFT JOIN dead d USING (town)
  CROSS JOIN LATERAL (VALUES (left(e.town, 6) || '000000'), (e.town || '000')) AS v (division)
  GROUP BY v.division)
SELECT c.division || ' ' || to_char(:as_of::date - interval '1 month', 'YYYY') AS subject,
       NULL::text AS feed, NULL::text AS source_key, NULL::text AS role, NULL::bigint AS person_id, c.division,
       jsonb_build_object('deaths_registered', c.registered, 'deaths_expected', round(c.expected, 1),
                          'percent', round(100 * c.registered / c.expected, 1)) AS evidence
FROM counted c
WHERE c.expected >= :deaths::numeric AND 100 * c.registered < :percent::numeric * c.expected
