/*
rule: DQ12
title: { zh: 电话多人共用, en: One telephone on many persons }
severity: low
owner: source
evaluates: changed persons
wakes: []
parameters: { persons: 6, households: 3 }
definition: 同一个电话号码登记在 6 人以上（不含）名下，且这些人分属 3 个以上（不含）家庭。家庭以户号计，没有本地户口的以居住登记的房屋编码或住址计；两者都没有的人只计人数，不计家庭。疑点落在最早带有该号码的记录上。
resolved_by: 报送部门核实联系电话，改为本人或其家庭的号码。
*/
WITH shared AS MATERIALIZED (
  SELECT phone
  FROM (SELECT DISTINCT phone FROM rule_mention WHERE phone IS NOT NULL) looked JOIN identity.mention m USING (phone)
  WHERE m.active GROUP BY phone HAVING count(*) > :persons::integer),
used AS MATERIALIZED (
  SELECT m.phone, m.mention_id, m.feed, l.person_id
  FROM shared s
  JOIN identity.mention m USING (phone)
  JOIN identity.link l USING (mention_id)
  WHERE m.active),
many AS MATERIALIZED (
  SELECT phone, count(DISTINCT person_id) AS persons, min(mention_id) AS mention_id
  FROM used GROUP BY phone HAVING count(DISTINCT person_id) > :persons::integer),
-- Where a person belongs: the household of the register before the dwelling of the residence registration.
home AS (
  SELECT DISTINCT ON (l.person_id) l.person_id, coalesce(m.household_code, m.dwelling_code, m.address) AS household
  FROM (SELECT DISTINCT person_id FROM used JOIN many USING (phone)) p
  JOIN identity.link l USING (person_id)
  JOIN identity.mention m USING (mention_id)
  WHERE m.active AND m.feed IN ('household_register', 'residence_registration')
  ORDER BY l.person_id, m.feed, m.source_key DESC),
spread AS (
  SELECT phone, count(DISTINCT household) AS households
  FROM used JOIN many USING (phone) JOIN home USING (person_id) GROUP BY phone),
by_feed AS (
  SELECT phone, jsonb_object_agg(feed, records) AS records
  FROM (SELECT phone, feed, count(*) AS records FROM used GROUP BY phone, feed) f GROUP BY phone)
SELECT 'phone ' || masking.phone(y.phone) || ' ' || m.feed || '|' || m.source_key || '|' || m.role AS subject,
       m.feed, m.source_key, m.role, NULL::bigint AS person_id, m.division,
       jsonb_build_object(
         'phone', masking.phone(y.phone), 'persons', y.persons, 'households', s.households,
         'records', f.records) AS evidence
FROM many y
JOIN spread s USING (phone)
JOIN by_feed f USING (phone)
JOIN identity.mention m USING (mention_id)
WHERE s.households > :households::integer
