/*
rule: ST02
title: { zh: 年龄堆积, en: Age heaping }
severity: low
owner: public-security
evaluates: everything
parameters: { index: 125, persons: 500 }
definition: 户籍在册人口（户口状态 1）23–62 岁的惠普尔指数高于 125，即年龄尾数为 0、5 的人偏多，出生日期可能是估报。县和乡镇分别计算，23–62 岁不足 500 人的不判断；同时给出十二生肖分布。
resolved_by: 公安抽查出生日期的登记依据；更正后指数回落，疑点自动关闭。
*/
-- Whipple's index (Siegel and Swanson 2004, The Methods and Materials of Demography, chapter 6): 100 = no heaping.
-- Ages are reckoned once for each birthday, not for each person.
WITH birthday AS MATERIALIZED (
  SELECT day::date AS birth_date, extract(year FROM age(:as_of::date, day::date))::integer AS age,
         (extract(year FROM day)::integer - 4) % 12 AS zodiac
  FROM generate_series(:as_of::date - interval '63 years' + interval '1 day', :as_of::date - interval '23 years',
                       interval '1 day') AS day),
adult AS (
  SELECT b.age, b.zodiac, h.registered_division
  FROM registry.household_register h JOIN birthday b USING (birth_date) WHERE h.status = '1'),
cell AS (
  SELECT left(registered_division, 9) AS town, zodiac, count(*) AS persons,
         count(*) FILTER (WHERE age % 5 = 0) AS on_five
  FROM adult GROUP BY 1, 2),
counted AS (
  SELECT d.division, c.zodiac, sum(c.persons) AS persons, sum(c.on_five) AS on_five
  FROM cell c CROSS JOIN LATERAL (VALUES (left(c.town, 6) || '000000'), (c.town || '000')) AS d (division)
  GROUP BY d.division, c.zodiac),
whipple AS (
  SELECT division, sum(persons) AS persons, round(500 * sum(on_five) / sum(persons), 1) AS index,
         jsonb_object_agg(substr('鼠牛虎兔龙蛇马羊猴鸡狗猪', zodiac + 1, 1), persons) AS zodiac
  FROM counted GROUP BY division)
SELECT w.division || ' ' || to_char(:as_of::date, 'YYYY') AS subject,
       NULL::text AS feed, NULL::text AS source_key, NULL::text AS role, NULL::bigint AS person_id, w.division,
       jsonb_build_object('whipple_index', w.index, 'limit', :index::numeric, 'persons', w.persons, 'zodiac', w.zodiac) AS evidence
FROM whipple w
WHERE w.persons >= :persons::integer AND w.index > :index::numeric
