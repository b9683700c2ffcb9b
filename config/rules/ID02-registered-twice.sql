/*
rule: ID02
title: { zh: 疑似双重户口, en: Possibly registered twice in the household register }
severity: high
owner: public-security
evaluates: changed relations
definition: 两条户口状态为 1（正常）的户籍登记，有效公民身份号码不同，姓名、性别、出生日期相同，并且电话、父母、配偶、住址、户号至少一项相同。疑点落在后登记的一条上：先比迁入日期（没有迁入日期的视为出生即登记），再比人员编号。
resolved_by: 公安核实是否为同一人；确为双重户口的，注销其中一条。
*/
-- Windows, not joins back on three columns: these the planner takes for one row, and loops over the pairs below. The first
-- one leaves few persons of whom the register need be asked, one by one: the planner would take them for many, and read all.
WITH namesake AS (
  SELECT m.*, min(m.id_number) OVER namesakes <> max(m.id_number) OVER namesakes AS several
  FROM identity.mention m
  WHERE m.feed = 'household_register' AND m.active AND m.id_kind IN ('resident', 'resident_15') AND m.name IS NOT NULL
    AND (m.name, m.birth_date) IN (SELECT name, birth_date FROM rule_mention WHERE feed = 'household_register')
  WINDOW namesakes AS (PARTITION BY m.name, m.sex, m.birth_date)),
registered AS (
  SELECT m.mention_id, m.source_key, m.role, l.person_id, m.division, m.id_number, m.id_given,
         m.name, m.sex, m.birth_date, m.phone, m.address, m.household_code, h.kinship,
         coalesce(h.moved_in_on, m.birth_date) AS registered_since,
         min(m.id_number) OVER namesakes <> max(m.id_number) OVER namesakes AS several
  FROM (SELECT * FROM namesake WHERE several) m
  CROSS JOIN LATERAL (
    SELECT kinship, moved_in_on, status FROM registry.household_register h WHERE h.source_key = m.source_key OFFSET 0) h
  CROSS JOIN LATERAL (SELECT person_id FROM identity.link l WHERE l.mention_id = m.mention_id OFFSET 0) l
  WHERE h.status = '1'
  WINDOW namesakes AS (PARTITION BY m.name, m.sex, m.birth_date)),
candidate AS MATERIALIZED (SELECT * FROM registered WHERE several),
-- Everyone who stands or stood in a candidate's household: the dead and those who moved out are parents, too.
housemate AS MATERIALIZED (
  SELECT c.mention_id, c.kinship, h.kinship AS other_kinship, l.person_id AS other_id
  FROM candidate c
  CROSS JOIN LATERAL (
    SELECT mention_id, source_key FROM identity.mention m
    WHERE m.household_code = c.household_code AND m.feed = 'household_register' AND m.active OFFSET 0) m
  CROSS JOIN LATERAL (SELECT kinship FROM registry.household_register h WHERE h.source_key = m.source_key OFFSET 0) h
  CROSS JOIN LATERAL (SELECT person_id FROM identity.link l WHERE l.mention_id = m.mention_id OFFSET 0) l),
-- Whom a candidate's certificates name beside it: one by one, too.
certified AS MATERIALIZED (
  SELECT c.mention_id, m.feed, m.role, l.person_id AS other_id
  FROM candidate c
  CROSS JOIN LATERAL (SELECT mention_id FROM identity.link o WHERE o.person_id = c.person_id OFFSET 0) own
  CROSS JOIN LATERAL (
    SELECT feed, source_key, role FROM identity.mention m
    WHERE m.mention_id = own.mention_id AND m.feed IN ('birth_certificate', 'marriage_registration') AND m.active OFFSET 0) m
  CROSS JOIN LATERAL (
    SELECT mention_id FROM identity.mention o
    WHERE o.source_key = m.source_key AND o.feed = m.feed AND o.role <> m.role AND o.active OFFSET 0) o
  CROSS JOIN LATERAL (SELECT person_id FROM identity.link l WHERE l.mention_id = o.mention_id OFFSET 0) l),
-- GB/T 4761 gives the relation to the head of household (01, 02). 28 and 38 are children-in-law.
relative AS (
  SELECT mention_id, 'parent' AS relation, other_id FROM housemate
  WHERE (kinship BETWEEN '20' AND '39' AND kinship NOT IN ('28', '38')
         AND other_kinship IN ('01', '02', '10', '11', '12'))
     OR (kinship IN ('01', '02') AND other_kinship IN ('50', '51', '52', '57', '58'))
  UNION
  SELECT mention_id, 'parent', other_id FROM certified WHERE feed = 'birth_certificate' AND role = 'child'
  UNION
  SELECT mention_id, 'spouse', other_id FROM housemate
  WHERE (kinship IN ('01', '02') AND other_kinship IN ('10', '11', '12'))
     OR (kinship IN ('10', '11', '12') AND other_kinship IN ('01', '02'))
  UNION
  SELECT mention_id, 'spouse', other_id FROM certified WHERE feed = 'marriage_registration'),
shared_relative AS (
  SELECT l.mention_id, r.mention_id AS other_mention, l.relation
  FROM relative l JOIN relative r USING (relation, other_id)),
-- The time of the last change says nothing about which registration was first.
pair AS (
  SELECT later.*, earlier.source_key AS earlier_key, earlier.id_given AS earlier_id_given,
         array_remove(ARRAY[
           CASE WHEN later.phone = earlier.phone THEN 'phone' END,
           CASE WHEN EXISTS (SELECT FROM shared_relative s WHERE s.relation = 'parent'
                             AND s.mention_id = later.mention_id AND s.other_mention = earlier.mention_id) THEN 'parent' END,
           CASE WHEN EXISTS (SELECT FROM shared_relative s WHERE s.relation = 'spouse'
                             AND s.mention_id = later.mention_id AND s.other_mention = earlier.mention_id) THEN 'spouse' END,
           -- An address without a number is a whole village.
           CASE WHEN later.address = earlier.address AND later.address ~ '[0-9]' THEN 'address' END,
           CASE WHEN later.household_code = earlier.household_code THEN 'household' END], NULL) AS signs
  FROM candidate later
  JOIN candidate earlier USING (name, sex, birth_date)
  WHERE later.id_number <> earlier.id_number
    AND (later.registered_since, later.source_key) > (earlier.registered_since, earlier.source_key))
SELECT DISTINCT ON (p.source_key)
       'household_register|' || p.source_key || '|' || p.role AS subject,
       'household_register' AS feed, p.source_key, p.role, p.person_id, p.division,
       jsonb_build_object(
         'id_number', masking.id_number(p.id_given), 'name', masking.name(p.name),
         'other_record', p.earlier_key, 'other_id_number', masking.id_number(p.earlier_id_given),
         'in_common', to_jsonb(p.signs)) AS evidence
FROM pair p
WHERE p.signs <> '{}'
ORDER BY p.source_key, p.earlier_key
