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
WITH born AS (
  SELECT m.feed, m.source_key, m.role, l.person_id, m.division, m.id_given, h.birth_date AS recorded,
         CASE WHEN m.id_kind IN ('resident', 'resident_15') THEN substr(m.id_number, 7, 8)::date END AS in_id_number
  FROM registry.household_register h
  JOIN identity.mention m ON m.source_key = h.source_key AND m.feed = 'household_register' AND m.active
  LEFT JOIN identity.link l USING (mention_id)
  -- Whoever is old by neither date is left out before the mentions are looked up.
  WHERE h.status = '1'
    AND (h.birth_date <= :as_of::date - make_interval(years => :years::integer + 1)
         OR substr(h.id_number, 7, 8) <= (SELECT to_char(:as_of::date - make_interval(years => :years::integer + 1), 'YYYYMMDD')))),
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
  JOIN identity.link l USING (person_id)
  JOIN identity.mention m USING (mention_id)
  LEFT JOIN registry.social_insurance s ON s.source_key = m.source_key AND m.feed = 'social_insurance'
  WHERE m.active
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
