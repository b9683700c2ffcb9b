/*
rule: DQ03
title: { zh: 证号出生日期不可能, en: Birth date in the identity number cannot be }
severity: high
owner: source
evaluates: changed persons
definition: 公民身份号码校验位正确，但其中的出生日期不存在，或晚于业务日期。
resolved_by: 报送部门按证件原件更正号码。
*/
-- Changed persons, not the changed mentions alone: a date that lies in the future does so only until it comes.
SELECT m.feed || '|' || m.source_key || '|' || m.role AS subject,
       m.feed, m.source_key, m.role, m.person_id, m.division,
       jsonb_build_object(
         'id_number', masking.id_number(m.id_given),
         'birth_date', CASE m.id_kind WHEN 'impossible_birth' THEN 'impossible' ELSE 'in the future' END) AS evidence
FROM rule_mention m
WHERE m.id_kind = 'impossible_birth'
   OR (m.id_kind IN ('resident', 'permit_hmt')
       AND substr(m.id_number, 7, 8) > (SELECT to_char(:as_of::date, 'YYYYMMDD')))
