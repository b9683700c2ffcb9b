/*
rule: ID06
title: { zh: 死亡后仍享低保, en: Subsistence allowance after death }
severity: high
owner: civil-affairs
evaluates: changed persons
wakes:
  - { feed: death_registration, field: died_on, days: days }
parameters: { days: 31 }
definition: 死亡登记已超过 31 天，仍在最低生活保障名单中。
resolved_by: 民政核实后停发或调整该户保障金；死亡登记有误的一并更正。
*/
WITH death AS (
  SELECT DISTINCT ON (m.person_id) m.person_id, d.source_key, d.died_on
  FROM registry.death_registration d
  JOIN rule_mention m ON m.source_key = d.source_key AND m.feed = 'death_registration'
  ORDER BY m.person_id, d.died_on, d.source_key)
SELECT 'subsistence_allowance|' || m.source_key || '|' || m.role AS subject,
       m.feed, m.source_key, m.role, l.person_id, m.division,
       jsonb_build_object('died_on', d.died_on, 'death_record', d.source_key) AS evidence
FROM death d
JOIN identity.link l USING (person_id)
JOIN identity.mention m USING (mention_id)
WHERE m.feed = 'subsistence_allowance' AND m.active
  AND d.died_on < :as_of::date - :days::integer
