/*
rule: DQ13
title: { zh: 超高龄未注销, en: Registered at an age that hardly anybody reaches }
severity: medium
owner: public-security
evaluates: everything
parameters: { years: 115 }
definition: 户口状态为 1（正常），年龄超过 115 周岁（满 116 周岁）。年龄按有效公民身份号码中的出生日期计，没有有效号码的按登记的出生日期计。
resolved_by: 公安核实本人是否健在，已死亡的办理注销，出生日期有误的更正。
*/
-- Few are old by one date or the other, and an index has each (src/population/lookups.ts). What else is known of them is
-- looked up one by one: the planner would take them for many, and read all.
WITH aged AS MATERIALIZED (
  SELECT m.mention_id, m.feed, m.source_key, m.role, m.division, m.id_given, m.id_kind, m.id_number
  FROM identity.mention m
  WHERE m.feed = 'household_register' AND m.active
    AND m.birth_date <= :as_of::date - make_interval(years => :years::integer + 1)
  UNION
  SELECT m.mention_id, m.feed, m.source_key, m.role, m.division, m.id_given, m.id_kind, m.id_number
  FROM identity.mention m
  WHERE m.feed = 'household_register' AND m.active AND m.id_kind IN ('resident', 'resident_15')
    AND substr(m.id_number, 7, 8) <= to_char(:as_of::date - make_interval(years => :years::integer + 1), 'YYYYMMDD')),
born AS (
  SELECT m.feed, m.source_key, m.role, l.person_id, m.division, m.id_given, h.birth_date AS recorded,
         CASE WHEN m.id_kind IN ('resident', 'resident_15') THEN substr(m.id_number, 7, 8)::date END AS in_id_number
  FROM aged m
  CROSS JOIN LATERAL (
    SELECT birth_date, status FROM registry.household_register h WHERE h.source_key = m.source_key OFFSET 0) h
  LEFT JOIN LATERAL (SELECT person_id FROM identity.link l WHERE l.mention_id = m.mention_id OFFSET 0) l ON true
  WHERE h.status = '1'),
old AS (
  SELECT * FROM born
  WHERE coalesce(in_id_number, recorded) <= :as_of::date - make_interval(years => :years::integer + 1)),
-- What other departments know of them: a death, or money that somebody draws.
elsewhere AS (
  SELECT o.person_id,
         min(m.source_key) FILTER (WHERE m.feed = 'death_registration') AS death_record,
         min(m.source_key) FILTER (WHERE s.status = '1' OR s.benefit_status = '1') AS insurance_record,
         min(m.source_key) FILTER (WHERE m.feed = 'subsistence_allowance') AS allowance_record
  FROM old o
  CROSS JOIN LATERAL (
    SELECT m.feed, m.source_key FROM identity.link l JOIN identity.mention m USING (mention_id)
    WHERE l.person_id = o.person_id AND m.active OFFSET 0) m
  LEFT JOIN LATERAL (
    SELECT s.status, s.benefit_status FROM registry.social_insurance s
    WHERE s.source_key = m.source_key AND m.feed = 'social_insurance' OFFSET 0) s ON true
  GROUP BY o.person_id)
SELECT o.feed || '|' || o.source_key || '|' || o.role AS subject,
       o.feed, o.source_key, o.role, o.person_id, o.division,
       jsonb_build_object(
         'id_number', masking.id_number(o.id_given),
         'recorded_birth_date', masking.birth_date(o.recorded),
         'birth_date_in_id_number', masking.birth_date(o.in_id_number),
         'death_record', e.death_record, 'insurance_record', e.insurance_record,
         'allowance_record', e.allowance_record) AS evidence
FROM old o LEFT JOIN elsewhere e USING (person_id)
