/*
rule: MP04
title: { zh: 随迁学生未居住登记, en: Pupil from elsewhere without residence registration }
severity: low
owner: public-security
evaluates: changed persons
wakes:
  - { feed: residence_registration, field: valid_until }
definition: 户籍在外地的学生，本人和监护人都不是本地户籍（户口状态 1），也都没有有效的居住登记。已死亡的不计。
resolved_by: 公安会同教育核实居住情况，为学生和监护人办理居住登记。
*/
-- Outer joins where inner ones would do: these the planner takes for one row, and loops over the pairs below.
WITH pupil AS MATERIALIZED (
  SELECT e.source_key, m.mention_id, m.role, e.living_division AS division, m.name, m.birth_date, m.id_number, m.phone, e.registered_division, e.school
  FROM registry.school_enrolment e
  LEFT JOIN identity.mention m ON m.source_key = e.source_key AND m.feed = 'school_enrolment' AND m.active
  -- Who is registered in a division of the register is no pupil from elsewhere.
  WHERE NOT EXISTS (SELECT FROM registry.household_register h WHERE h.registered_division = e.registered_division)
    AND e.source_key IN (SELECT source_key FROM rule_mention WHERE feed = 'school_enrolment')),
-- Living here, registered here, or dead.
registered AS MATERIALIZED (
  SELECT m.mention_id, m.id_number, m.name, m.birth_date, m.phone, m.division
  FROM identity.mention m
  LEFT JOIN registry.household_register h ON h.source_key = m.source_key AND m.feed = 'household_register'
  LEFT JOIN registry.residence_registration r ON r.source_key = m.source_key AND m.feed = 'residence_registration'
  WHERE m.active AND m.feed IN ('household_register', 'residence_registration', 'death_registration')
    AND (m.feed = 'death_registration' OR h.status IN ('1', '3') OR r.valid_until >= :as_of::date)),
settled AS (
  SELECT p.source_key
  FROM pupil p
  JOIN identity.link own USING (mention_id)
  JOIN identity.link l ON l.person_id = own.person_id
  JOIN registered r ON r.mention_id = l.mention_id
  UNION
  -- A number that is registered under another name is ID01's question.
  SELECT p.source_key FROM pupil p JOIN registered r USING (id_number)
  UNION
  -- Where a number is missing or wrong, the name with the birth date, the phone or the place may tell that it is the same person.
  SELECT p.source_key FROM pupil p JOIN registered r USING (name)
  WHERE (p.birth_date = r.birth_date OR p.phone = r.phone OR p.division = r.division)
    AND (p.id_number IS NULL OR r.id_number IS NULL
         -- An area that was never assigned (DQ04) makes the number a wrong one.
         OR left(p.id_number, 6) NOT IN (SELECT code FROM reference.area_code)
         OR left(r.id_number, 6) NOT IN (SELECT code FROM reference.area_code)))
SELECT 'school_enrolment|' || p.source_key || '|' || p.role AS subject,
       'school_enrolment' AS feed, p.source_key, p.role, l.person_id, p.division,
       jsonb_build_object(
         'name', masking.name(p.name), 'registered_division', p.registered_division, 'school', p.school,
         'guardian', masking.name(g.name)) AS evidence
FROM pupil p
LEFT JOIN identity.link l USING (mention_id)
LEFT JOIN pupil g ON g.source_key = p.source_key AND g.role = 'guardian'
WHERE p.role = 'subject' AND NOT EXISTS (SELECT FROM settled s WHERE s.source_key = p.source_key)
