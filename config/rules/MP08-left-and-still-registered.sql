/*
rule: MP08
title: { zh: 人走未销, en: Gone and still registered as resident }
severity: medium
owner: public-security
evaluates: changed persons
wakes:
  - { feed: residence_registration, field: valid_until, alone: true }
definition: 居住登记仍在有效期内，而本人已登记死亡（殡葬火化登记，或户口因死亡注销），或在另一处有更新的居住登记，或村居此后报告其死亡、迁出、外出而没有再报返乡、迁入。
resolved_by: 公安核实后注销居住登记。
*/
WITH valid AS MATERIALIZED (
  SELECT m.feed, m.source_key, m.role, m.division, m.person_id, m.dwelling_code, m.address, r.registered_on, r.valid_until
  FROM registry.residence_registration r
  JOIN rule_mention m ON m.source_key = r.source_key AND m.feed = 'residence_registration'
  WHERE r.valid_until >= :as_of::date),
latest AS (
  SELECT DISTINCT ON (m.person_id)
         m.person_id, m.source_key, m.dwelling_code, m.address, r.registered_on
  FROM registry.residence_registration r
  JOIN rule_mention m ON m.source_key = r.source_key AND m.feed = 'residence_registration'
  ORDER BY m.person_id, r.registered_on DESC, r.source_key DESC),
reported AS (
  SELECT DISTINCT ON (m.person_id) m.person_id, v.source_key, v.event, v.event_on
  FROM registry.village_report v
  JOIN rule_mention m ON m.source_key = v.source_key AND m.feed = 'village_report'
  WHERE v.event <> '出生'
  ORDER BY m.person_id, v.event_on DESC, v.source_key DESC)
SELECT v.feed || '|' || v.source_key || '|' || v.role AS subject,
       v.feed, v.source_key, v.role, v.person_id, v.division,
       jsonb_build_object(
         'registered_on', v.registered_on, 'valid_until', v.valid_until, 'death_record', d.death_record,
         'cancelled_household_record', d.household_record,
         'newer_record', n.source_key, 'newer_registered_on', n.registered_on,
         'village_report', p.source_key, 'reported_event', p.event, 'reported_event_on', p.event_on) AS evidence
FROM valid v
LEFT JOIN population.death d USING (person_id)
LEFT JOIN latest n
  ON n.person_id = v.person_id AND n.registered_on > v.registered_on
 AND coalesce(n.dwelling_code <> v.dwelling_code, n.address <> v.address)
LEFT JOIN reported p
  ON p.person_id = v.person_id AND p.event_on > v.registered_on AND p.event IN ('死亡', '迁出', '外出')
WHERE num_nonnulls(d.person_id, n.source_key, p.source_key) > 0
