/*
rule: ID05
title: { zh: 死亡后仍参保领待, en: Insured or drawing benefits after death }
severity: high
owner: human-resources
evaluates: changed persons
wakes:
  - { feed: death_registration, field: died_on, days: days }
parameters: { days: 31 }
definition: 死亡登记已超过 31 天，社会保险的参保状态仍为 1（正常）或待遇状态仍为 1（领取中）。
resolved_by: 人社核实后终止参保、停发待遇；死亡登记有误的由民政更正。
*/
WITH death AS (
  SELECT DISTINCT ON (m.person_id) m.person_id, d.source_key, d.died_on
  FROM registry.death_registration d
  JOIN rule_mention m ON m.source_key = d.source_key AND m.feed = 'death_registration'
  ORDER BY m.person_id, d.died_on, d.source_key)
SELECT 'social_insurance|' || s.source_key || '|' || m.role AS subject,
       m.feed, m.source_key, m.role, l.person_id, m.division,
       jsonb_build_object(
         'died_on', d.died_on, 'death_record', d.source_key,
         'status', s.status, 'benefit_status', s.benefit_status) AS evidence
FROM death d
JOIN identity.link l USING (person_id)
JOIN identity.mention m USING (mention_id)
JOIN registry.social_insurance s ON s.source_key = m.source_key
WHERE m.feed = 'social_insurance' AND m.active
  AND d.died_on < :as_of::date - :days::integer
  AND (s.status = '1' OR s.benefit_status = '1')
