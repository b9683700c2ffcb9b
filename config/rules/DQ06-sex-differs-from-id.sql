/*
rule: DQ06
title: { zh: 性别与证号不符, en: Sex differs from the identity number }
severity: high
owner: source
evaluates: changed mentions
definition: 登记的性别为男或女，与有效 18 位公民身份号码第 17 位的奇偶不一致。
resolved_by: 报送部门核对证件，更正性别或号码。
*/
SELECT m.feed || '|' || m.source_key || '|' || m.role AS subject,
       m.feed, m.source_key, m.role, m.person_id, m.division,
       jsonb_build_object(
         'id_number', masking.id_number(m.id_given),
         'recorded_sex', m.sex,
         'sex_in_id_number', CASE m.sex WHEN '1' THEN '2' ELSE '1' END) AS evidence
FROM rule_mention m
-- The seventeenth digit is odd for men (1) and even for women (2). Unknown or unstated sex contradicts nothing.
WHERE m.id_kind = 'resident'
  AND m.sex || (substr(m.id_number, 17, 1)::integer % 2)::text IN ('10', '21')
