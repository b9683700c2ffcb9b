/*
rule: MP02
title: { zh: 租赁未居住登记（以房管人）, en: Tenant without residence registration }
severity: medium
owner: public-security
evaluates: changed persons
wakes:
  - { feed: housing_lease, field: starts_on, days: days, alone: true }
  - { feed: housing_lease, field: ends_on, alone: true }
parameters: { days: 31 }
definition: 租赁备案有效且在租期内已超过 31 天，承租人不是本地户籍，也没有任何居住登记（有效或过期）。已死亡的不计（见 ID07）。
resolved_by: 公安上门核实，为承租人办理居住登记；已退租的由房产注销备案。
*/
WITH tenant AS (
  SELECT m.person_id, m.feed, m.source_key, m.role, m.id_number, m.name, m.phone, m.division, r.starts_on, r.ends_on
  FROM registry.housing_lease r
  JOIN rule_mention m ON m.source_key = r.source_key AND m.feed = 'housing_lease' AND m.role = 'tenant'
  WHERE r.status = '有效' AND r.starts_on < :as_of::date - :days::integer AND r.ends_on >= :as_of::date),
-- Living here, registered here, or dead: who stands there by these records needs no residence registration.
settled AS (
  SELECT m.person_id FROM rule_mention m WHERE m.feed IN ('residence_registration', 'death_registration')
  UNION
  SELECT m.person_id FROM rule_mention m JOIN registry.household_register h USING (source_key)
  WHERE m.feed = 'household_register' AND h.status IN ('1', '3')),
unsettled AS MATERIALIZED (
  SELECT * FROM tenant t WHERE NOT EXISTS (SELECT FROM settled x WHERE x.person_id = t.person_id)),
-- For those who are left, what in the same registers may name the same person. One by one: the planner would take them
-- for many, and read all mentions.
alike AS MATERIALIZED (
  -- A number that is registered under another name is ID01's question.
  SELECT t.source_key AS lease, r.feed, r.source_key
  FROM unsettled t
  CROSS JOIN LATERAL (
    SELECT m.feed, m.source_key FROM identity.link l JOIN identity.mention m USING (mention_id)
    WHERE l.id_number = t.id_number AND m.active OFFSET 0) r
  UNION ALL
  -- Where a number is missing or wrong, the name with the phone or the place may tell that it is the same person.
  SELECT t.source_key, r.feed, r.source_key
  FROM unsettled t
  CROSS JOIN LATERAL (
    SELECT m.* FROM identity.mention m WHERE m.phone = t.phone AND m.name = t.name AND m.active
    UNION ALL
    SELECT m.* FROM identity.mention m WHERE m.division = t.division AND m.name = t.name AND m.active OFFSET 0) r
  WHERE r.id_number IS NULL OR t.id_number IS NULL
     -- An area that was never assigned (DQ04) makes the number a wrong one.
     OR left(r.id_number, 6) NOT IN (SELECT code FROM reference.area_code)
     OR left(t.id_number, 6) NOT IN (SELECT code FROM reference.area_code))
SELECT t.feed || '|' || t.source_key || '|' || t.role AS subject,
       t.feed, t.source_key, t.role, t.person_id, t.division,
       jsonb_build_object('name', masking.name(t.name), 'starts_on', t.starts_on, 'ends_on', t.ends_on) AS evidence
FROM unsettled t
WHERE t.source_key NOT IN (
  SELECT a.lease FROM alike a
  WHERE a.feed IN ('residence_registration', 'death_registration')
     OR (a.feed = 'household_register'
         AND (SELECT h.status FROM registry.household_register h WHERE h.source_key = a.source_key) IN ('1', '3')))
