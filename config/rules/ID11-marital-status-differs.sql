/*
rule: ID11
title: { zh: 婚姻状况不一致, en: Marital status differs from the marriage registration }
severity: low
owner: public-security
evaluates: changed persons
wakes: []
definition: 民政最近一次婚姻登记为结婚，户籍登记（户口状态 1）的婚姻状况仍为 10（未婚）。
resolved_by: 公安核实后更正婚姻状况；结婚登记的当事人有误的由民政更正。
*/
WITH single AS MATERIALIZED (
  SELECT m.feed, m.source_key, m.role, m.person_id, m.division, h.marital_status
  FROM registry.household_register h
  JOIN rule_mention m ON m.source_key = h.source_key AND m.feed = 'household_register'
  WHERE h.status = '1' AND h.marital_status = '10'),
latest AS MATERIALIZED (
  SELECT DISTINCT ON (m.person_id) m.person_id, r.event, r.registered_on, r.source_key AS record
  FROM registry.marriage_registration r
  JOIN rule_mention m ON m.source_key = r.source_key AND m.feed = 'marriage_registration'
  ORDER BY m.person_id, r.registered_on DESC, r.source_key DESC)
SELECT s.feed || '|' || s.source_key || '|' || s.role AS subject,
       s.feed, s.source_key, s.role, s.person_id, s.division,
       jsonb_build_object(
         'marital_status', s.marital_status, 'marriage_record', x.record, 'married_on', x.registered_on) AS evidence
FROM single s JOIN latest x USING (person_id)
WHERE x.event = '结婚'
