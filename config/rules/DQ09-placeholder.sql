/*
rule: DQ09
title: { zh: 占位值, en: Placeholder instead of a value }
severity: medium
owner: source
evaluates: changed persons
wakes: []
definition: 证件号码、姓名或电话填了占位值，例如 111111…、123456…、测试、不详、13800000000。
resolved_by: 报送部门补录真实值，确实没有的留空。
*/
-- Changed persons, not the changed mentions alone: a placeholder phone leaves a mention without a phone, so putting
-- one in, or taking it out, does not change the mention. What is a placeholder is said in
-- src/schema/standards/placeholders.ts and phones.ts.
WITH placeholder_text(text) AS (
  VALUES ('无'), ('无证'), ('无证件'), ('无身份证'), ('无号码'), ('无电话'), ('无手机'), ('无联系电话'), ('没有'),
         ('暂无'), ('暂缺'), ('缺'), ('空'), ('空白'), ('不详'), ('不祥'), ('不明'), ('不清'), ('不清楚'), ('不知道'),
         ('未知'), ('未办'), ('未办理'), ('未办证'), ('未登记'), ('未提供'), ('未录入'), ('未填'), ('未填写'), ('待补'),
         ('待补充'), ('待补录'), ('待定'), ('待查'), ('待核实'), ('保密'), ('同上'), ('略'), ('NULL'), ('NONE'), ('NIL'),
         ('NA'), ('N/A'), ('UNKNOWN'), ('TEST'), ('/'), ('//'), ('\'), ('.'), ('*')),
-- Phones that were given and that nobody can be called on: placeholders, and numbers that are none.
given_phone AS (
  SELECT m.mention_id, r.phone FROM registry.household_register r
  JOIN rule_mention m ON m.source_key = r.source_key AND m.role = 'subject' AND m.feed = 'household_register'
  WHERE r.phone IS NOT NULL AND m.phone IS NULL
  UNION ALL
  SELECT m.mention_id, r.phone FROM registry.residence_registration r
  JOIN rule_mention m ON m.source_key = r.source_key AND m.role = 'subject' AND m.feed = 'residence_registration'
  WHERE r.phone IS NOT NULL AND m.phone IS NULL
  UNION ALL
  SELECT m.mention_id, r.phone FROM registry.social_insurance r
  JOIN rule_mention m ON m.source_key = r.source_key AND m.role = 'subject' AND m.feed = 'social_insurance'
  WHERE r.phone IS NOT NULL AND m.phone IS NULL
  UNION ALL
  SELECT m.mention_id, r.tenant_phone FROM registry.housing_lease r
  JOIN rule_mention m ON m.source_key = r.source_key AND m.role = 'tenant' AND m.feed = 'housing_lease'
  WHERE r.tenant_phone IS NOT NULL AND m.phone IS NULL
  UNION ALL
  SELECT m.mention_id, r.guardian_phone FROM registry.school_enrolment r
  JOIN rule_mention m ON m.source_key = r.source_key AND m.role = 'guardian' AND m.feed = 'school_enrolment'
  WHERE r.guardian_phone IS NOT NULL AND m.phone IS NULL),
useless_phone AS MATERIALIZED (
  SELECT mention_id, phone, upper(trim(normalize(phone, NFKC))) AS text FROM given_phone),
dialled AS (
  SELECT mention_id, phone, text,
         regexp_replace(regexp_replace(text, '[\s()+.\u00AD\u2010-\u2015-]', '', 'g'), '^(00)?86(?=0?\d{10,11}$)', '') AS number
  FROM useless_phone),
-- Of a mobile number the last eight digits, of a landline what follows the area code.
local_phone AS (
  SELECT mention_id, phone, text, number,
         CASE WHEN number ~ '^1[3-9]\d{9}$' THEN right(number, 8)
              ELSE regexp_replace(number, '^0(10|2\d|[3-9]\d\d)(?=[2-9]\d{6,7}$)', '') END AS local_number
  FROM dialled),
placeholder AS (
  SELECT mention_id, 'id_number' AS field, masking.id_number(id_given) AS value
  FROM rule_mention WHERE id_kind = 'placeholder'
  UNION ALL
  -- A name that names nobody leaves the mention without one.
  SELECT mention_id, 'name', masking.name(name_given)
  FROM rule_mention WHERE name IS NULL AND name_given IS NOT NULL
  UNION ALL
  SELECT mention_id, 'phone', masking.phone(phone)
  FROM local_phone
  WHERE text IN (SELECT text FROM placeholder_text) OR text LIKE '%测试%' OR number = '13800138000'
     OR (number ~ '^\d*$' AND (local_number ~ '^(\d)\1*$'
         OR strpos('0123456789012345678901234', local_number) > 0
         OR strpos('9876543210987654321098765', local_number) > 0)))
SELECT m.feed || '|' || m.source_key || '|' || m.role AS subject,
       m.feed, m.source_key, m.role, l.person_id, m.division, p.evidence
FROM (SELECT mention_id, jsonb_object_agg(field, value) AS evidence FROM placeholder GROUP BY mention_id) p
JOIN identity.mention m USING (mention_id)
LEFT JOIN identity.link l USING (mention_id)
