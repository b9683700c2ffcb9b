/*
rule: ID07
title: { zh: 死者仍为租赁当事人, en: Dead and still party to a lease }
severity: low
owner: housing
evaluates: changed persons
wakes:
  - { feed: housing_lease, field: starts_on, alone: true }
  - { feed: housing_lease, field: ends_on, alone: true }
definition: 已登记死亡（殡葬火化登记，或户口因死亡注销）的人，仍是一份备案有效、在租期内的租赁的出租人或承租人。
resolved_by: 房产核实后变更当事人或注销备案；死亡登记有误的由登记部门更正。
*/
SELECT m.feed || '|' || m.source_key || '|' || m.role AS subject,
       m.feed, m.source_key, m.role, m.person_id, m.division,
       jsonb_build_object(
         'died_on', d.died_on, 'death_record', d.death_record, 'cancelled_household_record', d.household_record,
         'starts_on', r.starts_on, 'ends_on', r.ends_on) AS evidence
FROM population.death d
JOIN rule_mention m USING (person_id)
JOIN registry.housing_lease r ON r.source_key = m.source_key
WHERE m.feed = 'housing_lease'
  AND r.status = '有效' AND :as_of::date BETWEEN r.starts_on AND r.ends_on
