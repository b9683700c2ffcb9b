/*
rule: MP06
title: { zh: 同期两处居住, en: Two homes at the same time }
severity: high
owner: public-security
evaluates: changed persons
wakes:
  - { feed: housing_lease, field: starts_on, alone: true }
  - { feed: housing_lease, field: ends_on, alone: true }
  - { feed: residence_registration, field: valid_until, alone: true }
definition: 同一人有两条有效的居住登记，住在不同房屋；或有一条有效的居住登记，同时是另一处房屋有效租赁的承租人。房屋以编码区分，缺编码的以住址区分。疑点落在登记日期（起租日期）较晚的一条上。
resolved_by: 公安核实实际居住地，注销不住的一处；租赁由他人居住的，由房产更正承租人。
*/
WITH home AS MATERIALIZED (
  SELECT m.feed, m.source_key, m.role, m.division, m.person_id, m.dwelling_code, m.address, r.registered_on AS since
  FROM registry.residence_registration r
  JOIN rule_mention m ON m.source_key = r.source_key AND m.feed = 'residence_registration'
  WHERE r.valid_until >= :as_of::date
  UNION ALL
  SELECT m.feed, m.source_key, m.role, m.division, m.person_id, m.dwelling_code, m.address, t.starts_on
  FROM registry.housing_lease t
  JOIN rule_mention m ON m.source_key = t.source_key AND m.feed = 'housing_lease' AND m.role = 'tenant'
  WHERE t.status = '有效' AND :as_of::date BETWEEN t.starts_on AND t.ends_on),
several AS MATERIALIZED (
  SELECT person_id FROM home GROUP BY person_id HAVING count(*) > 1),
candidate AS MATERIALIZED (SELECT * FROM home JOIN several USING (person_id))
SELECT DISTINCT ON (later.feed, later.source_key)
       later.feed || '|' || later.source_key || '|' || later.role AS subject,
       later.feed, later.source_key, later.role, later.person_id, later.division,
       jsonb_build_object(
         'since', later.since, 'dwelling_code', later.dwelling_code, 'division', later.division,
         'other_feed', earlier.feed, 'other_record', earlier.source_key, 'other_since', earlier.since,
         'other_dwelling_code', earlier.dwelling_code, 'other_division', earlier.division) AS evidence
FROM candidate later
JOIN candidate earlier USING (person_id)
WHERE (later.since, later.feed, later.source_key) > (earlier.since, earlier.feed, earlier.source_key)
  AND 'residence_registration' IN (later.feed, earlier.feed)
  AND coalesce(later.dwelling_code <> earlier.dwelling_code, later.address <> earlier.address)
ORDER BY later.feed, later.source_key, earlier.since DESC, earlier.feed, earlier.source_key
