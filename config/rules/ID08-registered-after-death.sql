/*
rule: ID08
title: { zh: 应销未销, en: Still in the household register after death }
severity: high
owner: public-security
evaluates: changed persons
wakes:
  - { feed: death_registration, field: died_on, days: days }
parameters: { days: 31 }
definition: 死亡登记已超过 31 天，户口状态仍为 1（正常）。
resolved_by: 公安核实后办理死亡注销；死亡登记有误的由民政更正。
*/
WITH death AS (
  SELECT DISTINCT ON (m.person_id) m.person_id, d.source_key, d.died_on
  FROM registry.death_registration d
  JOIN rule_mention m ON m.source_key = d.source_key AND m.feed = 'death_registration'
  ORDER BY m.person_id, d.died_on, d.source_key)
SELECT 'household_register|' || m.source_key || '|' || m.role AS subject,
       m.feed, m.source_key, m.role, l.person_id, m.division,
       jsonb_build_object('died_on', d.died_on, 'death_record', d.source_key) AS evidence
FROM death d
JOIN identity.link l USING (person_id)
JOIN identity.mention m USING (mention_id)
JOIN registry.household_register h ON h.source_key = m.source_key
WHERE m.feed = 'household_register' AND m.active AND h.status = '1'
  AND d.died_on < :as_of::date - :days::integer
