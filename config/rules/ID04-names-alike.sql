/*
rule: ID04
title: { zh: 同号姓名音形近, en: One identity number on names that sound or look alike }
severity: low
owner: source
evaluates: changed persons
definition: 同一个有效公民身份号码（十五位旧号按十八位计）下，姓名因同音字或形近字而不同；仅因不可识别字符或间隔点不同的不计。疑点落在与户籍登记不一致的记录上；没有户籍登记的，落在与多数记录不一致的记录上，各占一半的落在后到的记录上。
resolved_by: 报送部门核对证件，更正姓名用字；户籍登记有误的由公安更正。
*/
WITH contested AS (
  SELECT id_number FROM rule_mention
  WHERE id_kind IN ('resident', 'resident_15') AND name IS NOT NULL
  GROUP BY id_number HAVING min(name) <> max(name)),
named AS MATERIALIZED (
  SELECT m.* FROM contested c JOIN rule_mention m USING (id_number) WHERE m.name IS NOT NULL),
used AS (
  SELECT id_number, name, bool_or(feed = 'household_register') AS registered, count(*) AS records,
         min(changed_run) AS first_run, min(feed || '|' || source_key) AS first_record
  FROM named GROUP BY id_number, name),
-- The household register's name holds, then the one that most records give, then the readable one, then the first.
holder AS (
  SELECT DISTINCT ON (u.id_number) u.id_number, u.registered, f.*
  FROM used u JOIN identity.name_form f USING (name)
  ORDER BY u.id_number, u.registered DESC, u.records DESC, (f.pattern IS NULL) DESC, u.first_run, u.first_record)
SELECT m.feed || '|' || m.source_key || '|' || m.role AS subject,
       m.feed, m.source_key, m.role, m.person_id, m.division,
       jsonb_build_object(
         'id_number', masking.id_number(m.id_given),
         'name', masking.name(m.name),
         'expected_name', masking.name(h.name),
         'alike', CASE WHEN own.pinyin = h.pinyin THEN 'sound' ELSE 'shape' END,
         'expected_by', CASE WHEN h.registered THEN 'household register' ELSE 'most records' END) AS evidence
FROM holder h
JOIN named m ON m.id_number = h.id_number
JOIN identity.name_form own ON own.name = m.name
-- The middle dot of a name in parts is no character of it.
WHERE replace(m.name, '·', '') <> replace(h.name, '·', '')
  AND (own.pinyin = h.pinyin OR own.shape = h.shape)
