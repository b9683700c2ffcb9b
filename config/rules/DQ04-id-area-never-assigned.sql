/*
rule: DQ04
title: { zh: 证号地区码从未启用, en: Area code in the identity number was never assigned }
severity: medium
owner: public-security
evaluates: changed mentions
definition: 公民身份号码的前六位在 1981 年以来的任何年份都不是行政区划代码（GB/T 2260）。
resolved_by: 公安核实号码，签发有误的按规定重新编号，抄录有误的由报送部门更正。
*/
SELECT m.feed || '|' || m.source_key || '|' || m.role AS subject,
       m.feed, m.source_key, m.role, m.person_id, m.division,
       jsonb_build_object(
         'id_number', masking.id_number(m.id_given),
         'area_code', substr(m.id_number, 1, 6)) AS evidence
FROM rule_mention m
WHERE m.id_kind IN ('resident', 'resident_15')
  AND substr(m.id_number, 1, 6) NOT IN (SELECT code FROM reference.area_code)
