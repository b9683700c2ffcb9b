/*
rule: DQ10
title: { zh: 姓名含不可识别字符, en: Name has characters that cannot be read }
severity: medium
owner: source
evaluates: changed mentions
definition: 姓名中有问号、方框、替换字符（U+FFFD）或自造字（Unicode 专用区）。多为生僻字在转码时丢失。
resolved_by: 报送部门按证件原件补录汉字，并改用支持生僻字的编码（GB 18030）报送。
*/
-- The normal form of a name has one □ for each run of such characters.
SELECT m.feed || '|' || m.source_key || '|' || m.role AS subject,
       m.feed, m.source_key, m.role, m.person_id, m.division,
       jsonb_build_object('name', masking.name(m.name), 'unreadable_at', strpos(m.name, '□')) AS evidence
FROM rule_mention m
WHERE strpos(m.name, '□') > 0
