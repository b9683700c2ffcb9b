/*
rule: ID15
title: { zh: 重复参保, en: Insured twice }
severity: medium
owner: human-resources
evaluates: changed persons
wakes: []
definition: 同一人有两条参保状态为 1（正常）的记录：险种相同而个人编号不同，或同时参加职工医保（310）与居民医保（390），或同时参加城镇职工养老（110）与城乡居民养老（170）。疑点落在参保日期较晚的一条上。
resolved_by: 人社核实后保留一份参保关系，终止其余；个人编号重复的合并。
*/
-- 110 and 170 are pensions, 310 and 390 are for illness: of each, one at a time.
WITH active AS MATERIALIZED (
  SELECT m.mention_id, m.source_key, m.role, m.division, m.person_id, s.insurance_kind, s.insured_number, s.insured_since,
         CASE WHEN s.insurance_kind IN ('110', '170') THEN 'pension' ELSE 'illness' END AS purpose
  FROM registry.social_insurance s
  JOIN rule_mention m ON m.source_key = s.source_key AND m.feed = 'social_insurance'
  WHERE s.status = '1'),
several AS MATERIALIZED (
  SELECT person_id, purpose FROM active GROUP BY person_id, purpose HAVING count(*) > 1),
candidate AS MATERIALIZED (SELECT * FROM active JOIN several USING (person_id, purpose))
SELECT DISTINCT ON (later.source_key)
       'social_insurance|' || later.source_key || '|' || later.role AS subject,
       'social_insurance' AS feed, later.source_key, later.role, later.person_id, later.division,
       jsonb_build_object(
         'insured_since', later.insured_since, 'insurance_kind', later.insurance_kind,
         'other_record', earlier.source_key, 'other_insurance_kind', earlier.insurance_kind,
         'other_insured_since', earlier.insured_since,
         'same_insured_number', later.insured_number = earlier.insured_number) AS evidence
FROM candidate later
JOIN candidate earlier USING (person_id, purpose)
WHERE (coalesce(later.insured_since, '-infinity'), later.source_key)
    > (coalesce(earlier.insured_since, '-infinity'), earlier.source_key)
ORDER BY later.source_key, earlier.insured_since DESC NULLS LAST, earlier.source_key DESC
