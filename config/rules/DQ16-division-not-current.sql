/*
rule: DQ16
title: { zh: 区划代码不在现行表, en: Division code is not in the current table }
severity: low
owner: source
evaluates: changed persons
wakes: []
definition: 记录中的 12 位区划代码（任一栏）不在现行区划代码表中。证据给出该代码所属、仍在现行表中的最近一级上级区划。
resolved_by: 报送部门改用现行代码；区划调整后的新旧代码对照由民政提供。
*/
WITH recorded AS (
  SELECT m.feed, m.source_key, v.code, v.field
  FROM rule_mention m
  CROSS JOIN LATERAL (VALUES
    (m.division, CASE m.feed WHEN 'household_register' THEN 'registered_division'
                             WHEN 'residence_registration' THEN 'living_division'
                             WHEN 'school_enrolment' THEN 'living_division'
                             WHEN 'birth_certificate' THEN 'mother_living_division'
                             WHEN 'village_report' THEN 'village' ELSE 'division' END),
    (m.registered_division, CASE m.feed WHEN 'birth_certificate' THEN 'mother_registered_division'
                                        ELSE 'registered_division' END)) AS v (code, field)
  UNION ALL
  -- The place of insurance is none of the person's.
  SELECT m.feed, m.source_key, s.insured_division, 'insured_division'
  FROM registry.social_insurance s JOIN rule_mention m USING (source_key) WHERE m.feed = 'social_insurance'),
unknown AS (
  SELECT r.*, (
           SELECT d.name FROM reference.division d
           WHERE d.code IN (left(r.code, 9) || '000', left(r.code, 6) || '000000',
                            left(r.code, 4) || '00000000', left(r.code, 2) || '0000000000')
           ORDER BY d.code DESC LIMIT 1) AS within
  FROM recorded r
  WHERE r.code IS NOT NULL AND NOT EXISTS (SELECT FROM reference.division d WHERE d.code = r.code))
SELECT u.feed || '|' || u.source_key AS subject,
       u.feed, u.source_key, NULL::text AS role, NULL::bigint AS person_id, min(u.code) AS division,
       jsonb_object_agg(u.field, jsonb_build_object('code', u.code, 'within', u.within)) AS evidence
FROM unknown u
GROUP BY u.feed, u.source_key
