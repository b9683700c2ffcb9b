/*
rule: ID01
title: { zh: 同号不同人, en: One identity number on different persons }
severity: high
owner: public-security
evaluates: everything
definition: 同一个有效公民身份号码下出现互不相容的姓名（不是同名、同音、形近，也不能用不可识别字符解释）。疑点落在与户籍登记不一致的记录上；没有户籍登记的，落在与多数记录不一致的记录上。
resolved_by: 公安核实号码归属，由登记有误的部门更正姓名或号码。
*/
-- A placeholder is no name: DQ09, which runs before, has found them.
WITH placeholder AS (
  SELECT feed, source_key, role FROM anomalies.anomaly
  WHERE rule = 'DQ09' AND NOT healed AND evidence ? 'name'),
contested AS (
  SELECT id_number FROM identity.mention
  WHERE active AND id_kind IN ('resident', 'resident_15') AND name IS NOT NULL
  GROUP BY id_number HAVING min(name) <> max(name)),
named AS (
  SELECT m.*
  FROM contested c JOIN identity.mention m USING (id_number)
  WHERE m.active AND m.name IS NOT NULL
    AND NOT EXISTS (SELECT FROM placeholder p
                    WHERE p.feed = m.feed AND p.source_key = m.source_key AND p.role = m.role)),
used AS (
  SELECT id_number, name, bool_or(feed = 'household_register') AS registered, count(*) AS records
  FROM named GROUP BY id_number, name),
-- The household register's name holds, then the one that most records give, then the readable one.
holder AS (
  SELECT DISTINCT ON (u.id_number) u.id_number, u.registered, f.*
  FROM used u JOIN identity.name_form f USING (name)
  ORDER BY u.id_number, u.registered DESC, u.records DESC, (f.pattern IS NULL) DESC, u.name)
SELECT m.feed || '|' || m.source_key || '|' || m.role AS subject,
       m.feed, m.source_key, m.role, l.person_id, m.division,
       jsonb_build_object(
         'id_number', masking.id_number(m.id_given),
         'name', masking.name(m.name),
         'expected_name', masking.name(h.name),
         'expected_by', CASE WHEN h.registered THEN 'household register' ELSE 'most records' END) AS evidence
FROM holder h
JOIN named m ON m.id_number = h.id_number AND m.name <> h.name
JOIN identity.name_form own ON own.name = m.name
LEFT JOIN identity.link l USING (mention_id)
WHERE own.pinyin <> h.pinyin AND own.shape <> h.shape
  AND (own.pattern IS NULL OR h.name NOT LIKE own.pattern)
  AND (h.pattern IS NULL OR m.name NOT LIKE h.pattern)
