/*
rule: ID05
title: { zh: 死亡后仍参保领待, en: Insured or drawing benefits after death }
severity: high
owner: human-resources
evaluates: changed persons
wakes:
  - { picture: death, field: died_on, days: days, alone: true }
parameters: { days: 31 }
definition: 死亡登记已超过 31 天，社会保险的参保状态仍为 1（正常）或待遇状态仍为 1（领取中）。
resolved_by: 人社核实后终止参保、停发待遇；死亡登记有误的由民政更正。
*/
SELECT m.feed || '|' || m.source_key || '|' || m.role AS subject,
       m.feed, m.source_key, m.role, m.person_id, m.division,
       jsonb_build_object(
         'died_on', d.died_on, 'death_record', d.death_record,
         'status', s.status, 'benefit_status', s.benefit_status) AS evidence
FROM population.death d
JOIN rule_mention m USING (person_id)
JOIN registry.social_insurance s ON s.source_key = m.source_key
WHERE m.feed = 'social_insurance'
  AND d.died_on < :as_of::date - :days::integer
  AND (s.status = '1' OR s.benefit_status = '1')
