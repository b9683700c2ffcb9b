/*
rule: DQ16
title: { zh: 区划代码不在现行表, en: Division code is not in the current table }
severity: low
owner: source
evaluates: everything
definition: 记录中的 12 位区划代码（任一栏）不在现行区划代码表中。证据给出该代码所属、仍在现行表中的最近一级上级区划。
resolved_by: 报送部门改用现行代码；区划调整后的新旧代码对照由民政提供。
*/
WITH recorded AS NOT MATERIALIZED (
  SELECT 'household_register' AS feed, source_key, 'registered_division' AS field, registered_division AS code
  FROM registry.household_register
  UNION ALL SELECT 'residence_registration', source_key, 'registered_division', registered_division
  FROM registry.residence_registration
  UNION ALL SELECT 'residence_registration', source_key, 'living_division', living_division
  FROM registry.residence_registration
  UNION ALL SELECT 'subsistence_allowance', source_key, 'division', division FROM registry.subsistence_allowance
  UNION ALL SELECT 'social_insurance', source_key, 'insured_division', insured_division FROM registry.social_insurance
  UNION ALL SELECT 'housing_lease', source_key, 'division', division FROM registry.housing_lease
  UNION ALL SELECT 'housing_ownership', source_key, 'division', division FROM registry.housing_ownership
  UNION ALL SELECT 'birth_certificate', source_key, 'mother_registered_division', mother_registered_division
  FROM registry.birth_certificate
  UNION ALL SELECT 'birth_certificate', source_key, 'mother_living_division', mother_living_division
  FROM registry.birth_certificate
  UNION ALL SELECT 'school_enrolment', source_key, 'registered_division', registered_division
  FROM registry.school_enrolment
  UNION ALL SELECT 'school_enrolment', source_key, 'living_division', living_division FROM registry.school_enrolment
  UNION ALL SELECT 'sole_trader', source_key, 'division', division FROM registry.sole_trader
  UNION ALL SELECT 'village_report', source_key, 'village', village FROM registry.village_report),
-- Each code once: there are some thousand of them in millions of records.
unknown AS MATERIALIZED (
  SELECT c.code, (
           SELECT d.name FROM reference.division d
           WHERE d.code IN (left(c.code, 9) || '000', left(c.code, 6) || '000000',
                            left(c.code, 4) || '00000000', left(c.code, 2) || '0000000000')
           ORDER BY d.code DESC LIMIT 1) AS within
  FROM (SELECT DISTINCT code FROM recorded WHERE code IS NOT NULL) c
  WHERE NOT EXISTS (SELECT FROM reference.division d WHERE d.code = c.code))
SELECT r.feed || '|' || r.source_key AS subject,
       r.feed, r.source_key, NULL::text AS role, NULL::bigint AS person_id, min(r.code) AS division,
       jsonb_object_agg(r.field, jsonb_build_object('code', r.code, 'within', u.within)) AS evidence
FROM recorded r JOIN unknown u USING (code)
GROUP BY r.feed, r.source_key
