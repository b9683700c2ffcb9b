/*
rule: ST07
title: { zh: 人口平衡差, en: The population does not balance }
severity: high
owner: operator
evaluates: everything
parameters: { percent: 0.5, months: 1, persons: 1000 }
definition: 户籍人口期末数与“期初数 + 出生 − 死亡 + 迁入 − 迁出”之差超过期初数的 0.5%：有人无缘由地出现或消失。期间为最近 1 个月，没有期初数据的不判断。县和乡镇分别计算，期初不足 1000 人的不判断。
resolved_by: 操作员核对该期间的户籍批次（漏行、重复导入、区划调整）；公安补登变动原因后疑点自动关闭。
*/
-- Silent until the history reaches back to the beginning of the period.
WITH span AS MATERIALIZED (
  SELECT from_date,
         EXISTS (SELECT FROM ops.delivery WHERE feed = 'household_register' AND business_date <= from_date)
         AND (EXISTS (SELECT FROM registry.household_register WHERE valid_from <= from_date)
              OR EXISTS (SELECT FROM registry.household_register_history WHERE valid_from <= from_date)) AS is_known
  FROM (SELECT (:as_of::date - make_interval(months => :months::integer))::date AS from_date) s),
-- Whose registration has not changed since is there at both ends: only the others are compared one by one.
stayed AS (
  SELECT left(h.registered_division, 9) AS town, count(*) AS persons
  FROM span JOIN registry.household_register h ON h.valid_from <= span.from_date
  WHERE span.is_known AND h.status = '1'
  GROUP BY 1),
before AS MATERIALIZED (
  SELECT h.source_key, h.registered_division
  FROM span JOIN registry.household_register_history h ON h.valid_from <= span.from_date AND span.from_date < h.valid_to
  WHERE span.is_known AND h.status = '1'),
after AS MATERIALIZED (
  SELECT h.source_key, h.registered_division, h.birth_date, h.moved_in_on
  FROM span JOIN registry.household_register h ON h.valid_from > span.from_date
  WHERE span.is_known AND h.status = '1'),
change AS (
  SELECT left(coalesce(b.registered_division, a.registered_division), 9) AS town,
         count(b.source_key) AS at_start, count(a.source_key) AS at_end,
         count(*) FILTER (WHERE b.source_key IS NULL AND a.birth_date > span.from_date) AS born,
         count(*) FILTER (WHERE b.source_key IS NULL AND a.birth_date <= span.from_date AND a.moved_in_on > span.from_date) AS moved_in,
         count(*) FILTER (WHERE a.source_key IS NULL AND h.status = '3') AS died,
         count(*) FILTER (WHERE a.source_key IS NULL AND h.status IN ('2', '4')) AS moved_out
  FROM before b FULL JOIN after a ON a.source_key = b.source_key
  LEFT JOIN registry.household_register h ON h.source_key = b.source_key AND a.source_key IS NULL
  CROSS JOIN span
  GROUP BY 1
  UNION ALL
  SELECT town, persons, persons, 0, 0, 0, 0 FROM stayed),
counted AS (
  SELECT v.division, sum(at_start) AS at_start, sum(at_end) AS at_end, sum(born) AS born, sum(died) AS died,
         sum(moved_in) AS moved_in, sum(moved_out) AS moved_out
  FROM change c CROSS JOIN LATERAL (VALUES (left(c.town, 6) || '000000'), (c.town || '000')) AS v (division)
  GROUP BY v.division)
SELECT c.division || ' ' || to_char(:as_of::date, 'YYYY-MM') AS subject,
       NULL::text AS feed, NULL::text AS source_key, NULL::text AS role, NULL::bigint AS person_id, c.division,
       jsonb_build_object('at_start', c.at_start, 'at_end', c.at_end, 'born', c.born, 'died', c.died,
                          'moved_in', c.moved_in, 'moved_out', c.moved_out,
                          'unexplained', c.at_end - (c.at_start + c.born - c.died + c.moved_in - c.moved_out)) AS evidence
FROM counted c
WHERE c.at_start >= :persons::integer
  AND 100 * abs(c.at_end - (c.at_start + c.born - c.died + c.moved_in - c.moved_out)) > :percent::numeric * c.at_start
