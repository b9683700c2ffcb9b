/*
indicator: V10
title: { zh: 死亡注销及时率, en: Registrations cancelled within a month of death }
formula: 殡葬登记的死者中，死亡已满一个月（此前 12 个月内）、有本县户籍登记的，一个月内注销户口的比例。按户籍地。
unit: "%"
period: twelve months
feeds: [household_register, death_registration]
form: share
source: 《中华人民共和国户口登记条例》第八条：死亡后一个月以内
note: 一人有几条登记的，有一条未注销即不算及时。
*/
WITH dead AS (
  SELECT l.person_id, min(r.died_on) AS died_on
  FROM registry.death_registration r
  JOIN identity.mention m ON m.source_key = r.source_key AND m.feed = 'death_registration' AND m.active
  JOIN identity.link l USING (mention_id)
  WHERE r.died_on > :from::date - interval '1 month' AND r.died_on <= :as_of::date - interval '1 month'
  GROUP BY l.person_id),
registered AS (
  SELECT DISTINCT ON (d.person_id) d.person_id, h.registered_division,
         h.status = '3' AND h.cancelled_on <= d.died_on + interval '1 month' AS in_time
  FROM dead d JOIN identity.link l USING (person_id) JOIN identity.mention m USING (mention_id)
  JOIN registry.household_register h USING (source_key)
  WHERE m.active AND m.feed = 'household_register' AND h.status IN ('1', '3')
  ORDER BY d.person_id, h.status, h.source_key),
counted AS (
  SELECT p.division, count(*) FILTER (WHERE r.in_time) AS in_time, count(*) AS deaths
  FROM registered r JOIN place p ON p.leaf = r.registered_division GROUP BY p.division)
SELECT i.division, 100.0 * c.in_time / nullif(c.deaths, 0) AS value,
       coalesce(c.in_time, 0) AS numerator, coalesce(c.deaths, 0) AS denominator
FROM inhabitants i LEFT JOIN counted c USING (division)
