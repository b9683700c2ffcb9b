/*
rule: ID07
title: { zh: 死者仍为租赁当事人, en: Dead and still party to a lease }
severity: low
owner: housing
evaluates: changed persons
wakes:
  - { feed: housing_lease, field: starts_on }
definition: 已登记死亡（殡葬火化登记，或户口因死亡注销）的人，仍是一份备案有效、在租期内的租赁的出租人或承租人。
resolved_by: 房产核实后变更当事人或注销备案；死亡登记有误的由登记部门更正。
*/
WITH death AS MATERIALIZED (
  SELECT person_id, min(died_on) AS died_on, min(death_record) AS death_record, min(household_record) AS household_record
  FROM (SELECT m.person_id, d.died_on, d.source_key AS death_record, NULL AS household_record
        FROM registry.death_registration d
        JOIN rule_mention m ON m.source_key = d.source_key AND m.feed = 'death_registration'
        UNION ALL
        SELECT m.person_id, NULL, NULL, h.source_key
        FROM registry.household_register h
        JOIN rule_mention m ON m.source_key = h.source_key AND m.feed = 'household_register'
        WHERE h.status = '3') r
  GROUP BY person_id)
SELECT m.feed || '|' || m.source_key || '|' || m.role AS subject,
       m.feed, m.source_key, m.role, d.person_id, m.division,
       jsonb_build_object(
         'died_on', d.died_on, 'death_record', d.death_record, 'cancelled_household_record', d.household_record,
         'starts_on', r.starts_on, 'ends_on', r.ends_on) AS evidence
FROM registry.housing_lease r
JOIN rule_mention m ON m.source_key = r.source_key AND m.feed = 'housing_lease'
JOIN death d USING (person_id)
WHERE r.status = '有效' AND :as_of::date BETWEEN r.starts_on AND r.ends_on
