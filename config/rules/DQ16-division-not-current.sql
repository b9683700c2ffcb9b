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
-- Each code once: there are some thousand of them in millions of records. The place of insurance is none of the person's.
WITH insured AS MATERIALIZED (
  SELECT m.feed, m.source_key, s.insured_division AS code
  FROM registry.social_insurance s JOIN rule_mention m USING (source_key) WHERE m.feed = 'social_insurance'),
-- A case is about a record as a whole, and a night may look at one of its persons alone. These feeds name several persons
-- in a record, and places.
beside AS MATERIALIZED (
  SELECT o.feed, o.source_key, o.division, o.registered_division
  FROM rule_mention m
  -- Looked up one by one: few of all mentions.
  CROSS JOIN LATERAL (
    SELECT * FROM identity.mention o
    WHERE o.source_key = m.source_key AND o.feed = m.feed AND o.role <> m.role AND o.active OFFSET 0) o
  WHERE m.feed IN ('birth_certificate', 'housing_lease', 'school_enrolment')
    AND (o.division IS NOT NULL OR o.registered_division IS NOT NULL)),
unknown AS MATERIALIZED (
  SELECT c.code, (
           SELECT d.name FROM reference.division d
           WHERE d.code IN (left(c.code, 9) || '000', left(c.code, 6) || '000000',
                            left(c.code, 4) || '00000000', left(c.code, 2) || '0000000000')
           ORDER BY d.code DESC LIMIT 1) AS within
  FROM (SELECT division AS code FROM rule_mention UNION SELECT registered_division FROM rule_mention
        UNION SELECT division FROM beside UNION SELECT registered_division FROM beside UNION SELECT code FROM insured) c
  WHERE c.code IS NOT NULL AND (SELECT d.code FROM reference.division d WHERE d.code = c.code) IS NULL),
recorded AS (
  SELECT m.feed, m.source_key, v.field, v.code
  FROM (SELECT feed, source_key, division, registered_division FROM rule_mention UNION ALL SELECT * FROM beside) m
  CROSS JOIN LATERAL (VALUES
    (m.division, CASE m.feed WHEN 'household_register' THEN 'registered_division'
                             WHEN 'residence_registration' THEN 'living_division'
                             WHEN 'school_enrolment' THEN 'living_division'
                             WHEN 'birth_certificate' THEN 'mother_living_division'
                             WHEN 'village_report' THEN 'village' ELSE 'division' END),
    (m.registered_division, CASE m.feed WHEN 'birth_certificate' THEN 'mother_registered_division'
                                        ELSE 'registered_division' END)) AS v (code, field)
  WHERE m.division IN (SELECT code FROM unknown) OR m.registered_division IN (SELECT code FROM unknown)
  UNION ALL
  SELECT feed, source_key, 'insured_division', code FROM insured)
SELECT r.feed || '|' || r.source_key AS subject,
       r.feed, r.source_key, NULL::text AS role, NULL::bigint AS person_id, min(r.code) AS division,
       jsonb_object_agg(r.field, jsonb_build_object('code', r.code, 'within', u.within)) AS evidence
FROM recorded r JOIN unknown u USING (code)
GROUP BY r.feed, r.source_key
