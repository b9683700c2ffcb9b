/*
rule: MP01
title: { zh: 居住登记过期仍在本地参保, en: Residence registration expired while insured here }
severity: medium
owner: public-security
evaluates: changed persons
wakes:
  - { feed: residence_registration, field: valid_until, alone: true }
definition: 居住登记已过有效期且未续，本人在本地参保（参保状态 1），又不是本地户籍。已死亡的不计。
resolved_by: 公安核实居住情况，续办或注销居住登记。
*/
WITH latest AS (
  SELECT DISTINCT ON (m.person_id) m.person_id, m.feed, m.source_key, m.role, m.division, r.valid_until
  FROM registry.residence_registration r
  JOIN rule_mention m ON m.source_key = r.source_key AND m.feed = 'residence_registration'
  ORDER BY m.person_id, r.valid_until DESC, r.source_key DESC),
expired AS (
  SELECT * FROM latest WHERE valid_until < :as_of::date),
-- What the other registers say about these persons.
elsewhere AS (
  SELECT l.person_id, m.feed, m.source_key, h.status AS household_status, s.status AS insurance_status
  FROM expired e
  JOIN identity.link l USING (person_id)
  JOIN identity.mention m USING (mention_id)
  LEFT JOIN registry.household_register h ON h.source_key = m.source_key AND m.feed = 'household_register'
  LEFT JOIN registry.social_insurance s ON s.source_key = m.source_key AND m.feed = 'social_insurance'
  WHERE m.active),
insured AS (
  SELECT person_id, min(source_key) AS source_key FROM elsewhere WHERE insurance_status = '1' GROUP BY person_id),
local_or_dead AS (
  SELECT person_id FROM elsewhere WHERE household_status IN ('1', '3') OR feed = 'death_registration')
SELECT e.feed || '|' || e.source_key || '|' || e.role AS subject,
       e.feed, e.source_key, e.role, e.person_id, e.division,
       jsonb_build_object('valid_until', e.valid_until, 'insurance_record', i.source_key) AS evidence
FROM expired e
JOIN insured i USING (person_id)
WHERE NOT EXISTS (SELECT FROM local_or_dead x WHERE x.person_id = e.person_id)
