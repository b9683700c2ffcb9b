/*
rule: ID08
title: { zh: 应销未销, en: Still in the household register after death }
severity: high
owner: public-security
evaluates: changed persons
wakes:
  - { picture: death, field: died_on, days: days, alone: true }
parameters: { days: 31 }
definition: 死亡登记已超过 31 天，户口状态仍为 1（正常）。
resolved_by: 公安核实后办理死亡注销；死亡登记有误的由民政更正。
*/
SELECT m.feed || '|' || m.source_key || '|' || m.role AS subject,
       m.feed, m.source_key, m.role, m.person_id, m.division,
       jsonb_build_object('died_on', d.died_on, 'death_record', d.death_record) AS evidence
FROM population.death d
JOIN rule_mention m USING (person_id)
JOIN registry.household_register h ON h.source_key = m.source_key
WHERE m.feed = 'household_register' AND h.status = '1'
  AND d.died_on < :as_of::date - :days::integer
