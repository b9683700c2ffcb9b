/*
rule: DQ11
title: { zh: 姓名格式已自动规范, en: Name was put into its normal form }
severity: info
owner: source
evaluates: changed mentions
definition: 姓名中的空格、全角字符、间隔点写法或字母大小写与规范形式不同，比对时已自动规范。仅有不可识别字符的见 DQ10，占位值见 DQ09。
resolved_by: 无须逐条处理；报送部门修改录入或导出程序后自动关闭。
*/
SELECT m.feed || '|' || m.source_key || '|' || m.role AS subject,
       m.feed, m.source_key, m.role, m.person_id, m.division,
       jsonb_build_object(
         'name', masking.name(m.name),
         'characters_given', length(m.name_given), 'characters', length(m.name)) AS evidence
FROM rule_mention m
-- Marking what cannot be read by □ is no change of form. The characters are those of src/schema/standards/names.ts.
WHERE m.name <> m.name_given
  AND m.name <> regexp_replace(m.name_given, '[?？□〓\uFFFD\uE000-\uF8FF\U000F0000-\U000FFFFD\U00100000-\U0010FFFD]+', '□', 'g')
