/*
rule: ID01
title: { zh: 同号不同人, en: One identity number on different persons }
severity: high
owner: public-security
evaluates: changed persons
definition: 同一个有效公民身份号码下出现互不相容的姓名（不是同名、同音、形近，也不能用不可识别字符解释）。疑点落在与户籍登记不一致的记录上；没有户籍登记的，落在与多数记录不一致的记录上。
resolved_by: 公安核实号码归属，由登记有误的部门更正姓名或号码。
*/
-- A placeholder is no name (DQ09): its mention has none.
WITH contested AS (
  SELECT id_number FROM rule_mention
  WHERE id_kind IN ('resident', 'resident_15') AND name IS NOT NULL
  GROUP BY id_number HAVING min(name) <> max(name)),
named AS (
  SELECT m.*
  FROM contested c JOIN rule_mention m USING (id_number)
  WHERE m.name IS NOT NULL),
used AS (
  SELECT id_number, name, bool_or(feed = 'household_register') AS registered, count(*) AS records
  FROM named GROUP BY id_number, name),
-- The household register's name holds, then the one that most records give, then the readable one.
holder AS (
  SELECT DISTINCT ON (u.id_number) u.id_number, u.registered, f.*
  FROM used u JOIN identity.name_form f USING (name)
  ORDER BY u.id_number, u.registered DESC, u.records DESC, (f.pattern IS NULL) DESC, u.name)
SELECT m.feed || '|' || m.source_key || '|' || m.role AS subject,
       m.feed, m.source_key, m.role, m.person_id, m.division,
       jsonb_build_object(
         'id_number', masking.id_number(m.id_given),
         'name', masking.name(m.name),
         'expected_name', masking.name(h.name),
         'expected_by', CASE WHEN h.registered THEN 'household register' ELSE 'most records' END) AS evidence
FROM holder h
JOIN named m ON m.id_number = h.id_number AND m.name <> h.name
JOIN identity.name_form own ON own.name = m.name
WHERE own.pinyin <> h.pinyin AND own.shape <> h.shape
  AND (own.pattern IS NULL OR h.name NOT LIKE own.pattern)
  AND (h.pattern IS NULL OR m.name NOT LIKE h.pattern)
