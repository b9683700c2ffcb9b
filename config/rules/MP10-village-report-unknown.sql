/*
rule: MP10
title: { zh: 村报与登记不一致, en: A village reports what no department has }
severity: medium
owner: villages
evaluates: changed persons
wakes:
  - { feed: village_report, field: event_on, days: days, alone: true }
parameters: { days: 31 }
definition: 村居报告的出生、死亡、迁入、迁出已超过 31 天，而没有部门登记：出生没有出生医学证明和户籍登记，死亡没有殡葬火化登记、户口也未因死亡注销，迁入没有户籍登记和居住登记，迁出没有迁出或注销的户籍登记。外出、返乡不是登记事项，不计。
resolved_by: 村居核实后更正报告，或由公安、民政、卫健补办登记。
*/
-- Outer joins where inner ones would do: these the planner takes for one row, and loops over the pairs below.
WITH report AS MATERIALIZED (
  SELECT v.source_key, v.event, v.event_on, m.role, m.division, m.id_number, m.name, m.sex,
         coalesce(m.birth_date, CASE v.event WHEN '出生' THEN v.event_on END) AS birth_date, l.person_id
  FROM registry.village_report v
  LEFT JOIN identity.mention m ON m.source_key = v.source_key AND m.feed = 'village_report' AND m.active
  LEFT JOIN identity.link l USING (mention_id)
  WHERE v.event IN ('出生', '死亡', '迁入', '迁出') AND v.event_on < :as_of::date - :days::integer
    AND v.source_key IN (SELECT source_key FROM rule_mention WHERE feed = 'village_report')),
-- The records that name the same person.
record AS (
  SELECT r.source_key AS report_key, r.event, m.feed, m.source_key
  FROM report r JOIN identity.link l USING (person_id) JOIN identity.mention m USING (mention_id)
  WHERE m.active AND (m.feed <> 'birth_certificate' OR m.role = 'child')
  UNION
  SELECT r.source_key, r.event, m.feed, m.source_key
  FROM report r JOIN identity.link l USING (id_number) JOIN identity.mention m USING (mention_id)
  WHERE m.active
  UNION
  -- Where a number is missing or wrong, the name with the birth date may tell that it is the same person.
  SELECT r.source_key, r.event, m.feed, m.source_key
  FROM report r JOIN identity.mention m USING (name, birth_date)
  WHERE m.active AND (r.id_number IS NULL OR m.id_number IS NULL
         -- An area that was never assigned (DQ04) makes the number a wrong one.
         OR left(r.id_number, 6) NOT IN (SELECT code FROM reference.area_code)
         OR left(m.id_number, 6) NOT IN (SELECT code FROM reference.area_code))
    AND (m.feed IN ('death_registration', 'household_register', 'residence_registration')
         OR (m.feed = 'birth_certificate' AND m.role = 'child'))),
known AS (
  SELECT r.report_key
  FROM record r
  LEFT JOIN registry.household_register h ON h.source_key = r.source_key AND r.feed = 'household_register'
  WHERE CASE r.event
    WHEN '出生' THEN r.feed IN ('birth_certificate', 'household_register')
    WHEN '死亡' THEN r.feed = 'death_registration' OR h.status = '3'
    WHEN '迁入' THEN r.feed IN ('household_register', 'residence_registration')
    ELSE h.status IN ('2', '4') END)
SELECT 'village_report|' || r.source_key || '|' || r.role AS subject,
       'village_report' AS feed, r.source_key, r.role, r.person_id, r.division,
       jsonb_build_object('event', r.event, 'event_on', r.event_on, 'name', masking.name(r.name),
                          'birth_date', masking.birth_date(r.birth_date)) AS evidence
FROM report r
WHERE NOT EXISTS (SELECT FROM known k WHERE k.report_key = r.source_key)
