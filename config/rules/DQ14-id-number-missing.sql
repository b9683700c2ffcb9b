/*
rule: DQ14
title: { zh: 缺少身份证号, en: No document number }
severity: info
owner: source
evaluates: changed mentions
definition: 记录没有填写本人（当事人）的证件号码。出生医学证明上的新生儿尚无号码，不计；占位值见 DQ09。
resolved_by: 报送部门补录证件号码。
*/
SELECT m.feed || '|' || m.source_key || '|' || m.role AS subject,
       m.feed, m.source_key, m.role, m.person_id, m.division,
       jsonb_build_object('name', masking.name(m.name), 'linked', m.person_id IS NOT NULL) AS evidence
FROM rule_mention m
WHERE m.id_kind = 'absent' AND m.role <> 'child'
