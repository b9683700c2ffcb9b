/*
rule: ID16
title: { zh: 死者仍为经营者, en: Dead and still operating as a sole trader }
severity: medium
owner: market-supervision
evaluates: changed persons
wakes: []
definition: 已登记死亡（殡葬火化登记，或户口因死亡注销）的人，仍是经营状态为 active（存续）的个体工商户的经营者。
resolved_by: 市场监管核实后变更经营者或注销登记；死亡登记有误的由登记部门更正。
*/
SELECT m.feed || '|' || m.source_key || '|' || m.role AS subject,
       m.feed, m.source_key, m.role, m.person_id, m.division,
       jsonb_build_object(
         'died_on', d.died_on, 'death_record', d.death_record, 'cancelled_household_record', d.household_record,
         'established_on', t.established_on) AS evidence
FROM population.death d
JOIN rule_mention m USING (person_id)
JOIN registry.sole_trader t ON t.source_key = m.source_key
WHERE m.feed = 'sole_trader' AND t.status = 'active'
