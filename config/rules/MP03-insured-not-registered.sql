/*
rule: MP03
title: { zh: 参保满半年未居住登记, en: Insured here for half a year without residence registration }
severity: medium
owner: public-security
evaluates: changed persons
wakes:
  - { feed: social_insurance, field: insured_since, months: months, alone: true }
parameters: { months: 6 }
definition: 在本地参保（参保状态 1）已满 6 个月，不是本地户籍，也没有居住登记。已死亡的不计（见 ID05）。每人一个疑点，落在最早的一条有效参保记录上。
resolved_by: 公安核实居住情况，为本人办理居住登记。
*/
-- Living here, registered here, or dead: who stands there by these records needs no residence registration.
WITH settled AS (
  SELECT m.person_id FROM rule_mention m WHERE m.feed IN ('residence_registration', 'death_registration')
  UNION
  SELECT m.person_id FROM rule_mention m JOIN registry.household_register h USING (source_key)
  WHERE m.feed = 'household_register' AND h.status IN ('1', '3')),
insured AS MATERIALIZED (
  SELECT DISTINCT ON (m.person_id)
         m.person_id, m.feed, m.source_key, m.role, m.division, m.id_number, m.name, m.birth_date, s.insured_since
  FROM registry.social_insurance s
  JOIN rule_mention m ON m.source_key = s.source_key AND m.feed = 'social_insurance'
  WHERE s.status = '1' AND s.insured_since <= :as_of::date - make_interval(months => :months::integer)
    AND NOT EXISTS (SELECT FROM settled x WHERE x.person_id = m.person_id)
  ORDER BY m.person_id, s.insured_since, s.source_key),
-- For those who are left, what in the same registers may name the same person. One by one: the planner would take them
-- for many, and read all mentions.
alike AS MATERIALIZED (
  -- A number that is registered under another name is ID01's question.
  SELECT i.person_id, r.feed, r.source_key
  FROM insured i
  CROSS JOIN LATERAL (
    SELECT m.feed, m.source_key FROM identity.link l JOIN identity.mention m USING (mention_id)
    WHERE l.id_number = i.id_number AND m.active OFFSET 0) r
  UNION ALL
  -- Where a number is missing or wrong, the name with the birth date may tell that it is the same person.
  SELECT i.person_id, r.feed, r.source_key
  FROM insured i
  CROSS JOIN LATERAL (
    SELECT m.* FROM identity.mention m WHERE m.birth_date = i.birth_date AND m.name = i.name AND m.active
    UNION ALL
    SELECT m.* FROM identity.mention m
    WHERE m.birth_date = i.birth_date AND strpos(m.name, '□') > 0 AND i.name LIKE replace(m.name, '□', '_%') AND m.active
    UNION ALL
    SELECT m.* FROM identity.mention m
    WHERE m.birth_date = i.birth_date AND strpos(i.name, '□') > 0 AND m.name LIKE replace(i.name, '□', '_%') AND m.active
    OFFSET 0) r
  WHERE r.id_number IS NULL OR i.id_number IS NULL
     -- An area that was never assigned (DQ04) makes the number a wrong one.
     OR left(r.id_number, 6) NOT IN (SELECT code FROM reference.area_code)
     OR left(i.id_number, 6) NOT IN (SELECT code FROM reference.area_code))
SELECT 'person ' || i.person_id AS subject,
       i.feed, i.source_key, i.role, i.person_id, i.division,
       jsonb_build_object('name', masking.name(i.name), 'insured_since', i.insured_since) AS evidence
FROM insured i
WHERE i.person_id NOT IN (
  SELECT a.person_id FROM alike a
  WHERE a.feed IN ('residence_registration', 'death_registration')
     OR (a.feed = 'household_register'
         AND (SELECT h.status FROM registry.household_register h WHERE h.source_key = a.source_key) IN ('1', '3')))
