/*
rule: MP04
title: { zh: 随迁学生未居住登记, en: Pupil from elsewhere without residence registration }
severity: low
owner: public-security
evaluates: changed relations
wakes:
  - { feed: residence_registration, field: valid_until }
definition: 户籍在外地的学生，本人和监护人都不是本地户籍（户口状态 1），也都没有有效的居住登记。已死亡的不计。
resolved_by: 公安会同教育核实居住情况，为学生和监护人办理居住登记。
*/
WITH pupil AS MATERIALIZED (
  SELECT e.source_key, m.mention_id, m.role, e.living_division AS division, m.name, m.birth_date, m.id_number, m.phone,
         e.registered_division, e.school
  FROM registry.school_enrolment e
  -- Looked up one by one, as the registers are below: the planner would read all of them.
  LEFT JOIN LATERAL (
    SELECT * FROM identity.mention m
    WHERE m.source_key = e.source_key AND m.feed = 'school_enrolment' AND m.active OFFSET 0) m ON true
  -- Who is registered in a division of the register is no pupil from elsewhere.
  WHERE NOT EXISTS (SELECT FROM population.register_division d WHERE d.division = e.registered_division)
    AND e.source_key IN (SELECT source_key FROM rule_mention WHERE feed = 'school_enrolment')),
-- The records that may name the pupil or the guardian. One by one: the planner would take them for many, and read all.
alike AS MATERIALIZED (
  SELECT p.source_key AS enrolment, r.feed, r.source_key
  FROM pupil p
  CROSS JOIN LATERAL (
    SELECT m.feed, m.source_key
    FROM identity.link own JOIN identity.link l USING (person_id) JOIN identity.mention m ON m.mention_id = l.mention_id
    WHERE own.mention_id = p.mention_id AND m.active
    UNION ALL
    -- A number that is registered under another name is ID01's question.
    SELECT m.feed, m.source_key FROM identity.link l JOIN identity.mention m USING (mention_id)
    WHERE l.id_number = p.id_number AND m.active OFFSET 0) r
  UNION ALL
  -- Where a number is missing or wrong, the name with the birth date, the phone or the place may tell that it is the same person.
  SELECT p.source_key, r.feed, r.source_key
  FROM pupil p
  CROSS JOIN LATERAL (
    SELECT m.* FROM identity.mention m WHERE m.birth_date = p.birth_date AND m.name = p.name AND m.active
    UNION ALL
    SELECT m.* FROM identity.mention m WHERE m.phone = p.phone AND m.name = p.name AND m.active
    UNION ALL
    SELECT m.* FROM identity.mention m WHERE m.division = p.division AND m.name = p.name AND m.active OFFSET 0) r
  WHERE p.id_number IS NULL OR r.id_number IS NULL
     -- An area that was never assigned (DQ04) makes the number a wrong one.
     OR left(p.id_number, 6) NOT IN (SELECT code FROM reference.area_code)
     OR left(r.id_number, 6) NOT IN (SELECT code FROM reference.area_code)),
-- Living here, registered here, or dead.
settled AS (
  SELECT a.enrolment
  FROM alike a
  WHERE CASE a.feed
    WHEN 'death_registration' THEN true
    WHEN 'household_register' THEN
      (SELECT h.status IN ('1', '3') FROM registry.household_register h WHERE h.source_key = a.source_key)
    WHEN 'residence_registration' THEN
      (SELECT r.valid_until >= :as_of::date FROM registry.residence_registration r WHERE r.source_key = a.source_key)
    END)
SELECT 'school_enrolment|' || p.source_key || '|' || p.role AS subject,
       'school_enrolment' AS feed, p.source_key, p.role, l.person_id, p.division,
       jsonb_build_object(
         'name', masking.name(p.name), 'registered_division', p.registered_division, 'school', p.school,
         'guardian', masking.name(g.name)) AS evidence
FROM pupil p
LEFT JOIN identity.link l USING (mention_id)
LEFT JOIN pupil g ON g.source_key = p.source_key AND g.role = 'guardian'
WHERE p.role = 'subject' AND p.source_key NOT IN (SELECT enrolment FROM settled)
