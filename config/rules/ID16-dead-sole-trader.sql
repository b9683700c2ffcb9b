/*
rule: ID16
title: { zh: 死者仍为经营者, en: Dead and still operating as a sole trader }
severity: medium
owner: market-supervision
evaluates: changed persons
definition: 已登记死亡（殡葬火化登记，或户口因死亡注销）的人，仍是经营状态为 active（存续）的个体工商户的经营者。
resolved_by: 市场监管核实后变更经营者或注销登记；死亡登记有误的由登记部门更正。
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
         'established_on', t.established_on) AS evidence
FROM registry.sole_trader t
JOIN rule_mention m ON m.source_key = t.source_key AND m.feed = 'sole_trader'
JOIN death d USING (person_id)
WHERE t.status = 'active'
