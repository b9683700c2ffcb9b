/*
rule: ID06
title: { zh: 死亡后仍享低保, en: Subsistence allowance after death }
severity: high
owner: civil-affairs
evaluates: changed persons
wakes:
  - { picture: death, field: died_on, days: days, alone: true }
parameters: { days: 31 }
definition: 死亡登记已超过 31 天，仍在最低生活保障名单中。
resolved_by: 民政核实后停发或调整该户保障金；死亡登记有误的一并更正。
*/
SELECT m.feed || '|' || m.source_key || '|' || m.role AS subject,
       m.feed, m.source_key, m.role, m.person_id, m.division,
       jsonb_build_object('died_on', d.died_on, 'death_record', d.death_record) AS evidence
FROM population.death d
JOIN rule_mention m USING (person_id)
WHERE m.feed = 'subsistence_allowance'
  AND d.died_on < :as_of::date - :days::integer
