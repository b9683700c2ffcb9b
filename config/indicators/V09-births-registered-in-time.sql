/*
indicator: V09
title: { zh: 出生登记及时率, en: Births registered within a month }
formula: 12 个月内出生、已满一个月、母亲户籍在本县的婴儿中，一个月内进入户籍登记的比例。进入日期取迁入日期、更新时间和首次报送中最早者。
unit: "%"
period: twelve months
feeds: [residents, birth_certificate]
form: share
within: [V01]
source: 《中华人民共和国户口登记条例》第七条：出生后一个月以内
*/
WITH entered AS (
  SELECT m.person_id, min(v.on_day) AS on_day
  FROM (SELECT m.source_key, l.person_id FROM born b JOIN identity.link l ON l.person_id = b.child_id
        JOIN identity.mention m USING (mention_id) WHERE m.active AND m.feed = 'household_register') m
  JOIN (SELECT source_key, moved_in_on, updated_at, valid_from FROM registry.household_register
        UNION ALL
        SELECT source_key, moved_in_on, updated_at, valid_from FROM registry.household_register_history) h USING (source_key)
  CROSS JOIN LATERAL (VALUES (h.moved_in_on), ((h.updated_at AT TIME ZONE 'Asia/Shanghai')::date), (h.valid_from)) AS v (on_day)
  GROUP BY m.person_id),
counted AS (
  SELECT p.division, count(*) FILTER (WHERE e.on_day <= b.born_on + interval '1 month') AS in_time, count(*) AS births
  FROM born b JOIN place p ON p.leaf = b.village LEFT JOIN entered e ON e.person_id = b.child_id
  WHERE b.is_ours AND b.born_on + interval '1 month' <= :as_of::date GROUP BY p.division)
SELECT i.division, 100.0 * c.in_time / nullif(c.births, 0) AS value,
       coalesce(c.in_time, 0) AS numerator, coalesce(c.births, 0) AS denominator
FROM inhabitants i LEFT JOIN counted c USING (division)
