/*
rule: DQ01
title: { zh: 证件号码校验错误, en: Document number fails its check }
severity: high
owner: source
evaluates: changed mentions
definition: 填写了证件号码，但它既不是校验正确的 18 位公民身份号码（GB 11643），也不是合规的 15 位旧号或其他已知证件。占位值见 DQ09，出生日期不可能见 DQ03。
resolved_by: 报送部门按证件原件更正号码。
*/
SELECT m.feed || '|' || m.source_key || '|' || m.role AS subject,
       m.feed, m.source_key, m.role, m.person_id, m.division,
       jsonb_build_object('id_number', masking.id_number(m.id_given), 'characters', length(m.id_given)) AS evidence
FROM rule_mention m
WHERE m.id_kind = 'invalid'
