/*
rule: DQ02
title: { zh: 十五位旧证号, en: Identity number of 15 digits still in use }
severity: low
owner: source
evaluates: changed mentions
definition: 记录仍使用 15 位旧身份证号。证据给出对应的 18 位号码。
resolved_by: 报送部门改用 18 位公民身份号码。
*/
SELECT m.feed || '|' || m.source_key || '|' || m.role AS subject,
       m.feed, m.source_key, m.role, m.person_id, m.division,
       jsonb_build_object(
         'id_number', masking.id_number(m.id_given),
         'eighteen_digit_form', masking.id_number(m.id_number)) AS evidence
FROM rule_mention m
WHERE m.id_kind = 'resident_15'
