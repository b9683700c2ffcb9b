/*
rule: ID09
title: { zh: 死亡注销无死亡登记, en: Cancelled on death without a death registration }
severity: medium
owner: civil-affairs
evaluates: changed persons
wakes:
  - { feed: household_register, field: cancelled_on, years: years, alone: true }
parameters: { years: 5 }
definition: 户口状态为 3（死亡注销），注销日期在最近 5 年内，没有本人的殡葬火化登记。
resolved_by: 民政核实后补录火化登记，或确认在外地火化、土葬；户口注销有误的由公安恢复。
*/
WITH cancelled AS MATERIALIZED (
  SELECT m.feed, m.source_key, m.role, m.division, m.id_given, m.id_number, m.name, m.birth_date, m.person_id, h.cancelled_on
  FROM registry.household_register h JOIN rule_mention m USING (source_key)
  WHERE m.feed = 'household_register'
    AND h.status = '3' AND h.cancelled_on >= :as_of::date - make_interval(years => :years::integer)),
-- Insurance that goes on speaks for a registration that was cancelled by mistake.
insured AS (
  SELECT c.source_key, min(s.source_key) AS insurance_record
  FROM cancelled c
  JOIN identity.link l USING (person_id)
  JOIN identity.mention m USING (mention_id)
  JOIN registry.social_insurance s ON s.source_key = m.source_key
  WHERE m.feed = 'social_insurance' AND m.active AND s.status = '1'
  GROUP BY c.source_key)
SELECT c.feed || '|' || c.source_key || '|' || c.role AS subject,
       c.feed, c.source_key, c.role, c.person_id, c.division,
       jsonb_build_object(
         'id_number', masking.id_number(c.id_given), 'name', masking.name(c.name),
         'cancelled_on', c.cancelled_on, 'active_insurance_record', i.insurance_record) AS evidence
FROM cancelled c
LEFT JOIN insured i USING (source_key)
WHERE NOT EXISTS (SELECT FROM population.death d WHERE d.person_id = c.person_id AND d.death_record IS NOT NULL)
  AND NOT EXISTS (SELECT FROM identity.link l JOIN identity.mention d USING (mention_id)
                  WHERE l.id_number = c.id_number AND d.feed = 'death_registration' AND d.active)
  -- Where the death's number is missing or wrong, the name with the birth date may tell that it is the same person.
  AND NOT EXISTS (SELECT FROM identity.mention d
                  WHERE d.name = c.name AND d.birth_date = c.birth_date AND d.feed = 'death_registration' AND d.active
                    AND (d.id_number IS NULL OR c.id_number IS NULL
                         -- An area that was never assigned (DQ04) makes the number a wrong one.
                         OR left(d.id_number, 6) NOT IN (SELECT code FROM reference.area_code)
                         OR left(c.id_number, 6) NOT IN (SELECT code FROM reference.area_code)))
