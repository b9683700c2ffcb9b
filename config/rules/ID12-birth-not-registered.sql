/*
rule: ID12
title: { zh: 出生未落户, en: Born and not entered in the household register }
severity: medium
owner: public-security
evaluates: changed relations
wakes:
  - { feed: birth_certificate, field: issued_on, days: days, alone: true }
  - { feed: birth_certificate, field: child_birth_date, days: days, alone: true }
parameters: { days: 31 }
definition: 出生医学证明签发（未填签发日期的按出生日期）已超过 31 天，母亲为本地户籍（户口状态 1），户籍登记中没有该新生儿。父母任一方户内或同名的人中，有同日出生、同性别的，视为已落户。
resolved_by: 公安核实后为新生儿办理出生登记；已随父在外地落户或已死亡的，注明原因。
*/
-- Outer joins where inner ones would do: these the planner takes for one row, and loops over the pairs below.
WITH certificate AS MATERIALIZED (
  SELECT b.source_key, m.role, l.person_id, m.division, m.name, b.child_sex, b.child_birth_date, b.issued_on
  FROM registry.birth_certificate b
  LEFT JOIN identity.mention m
    ON m.source_key = b.source_key AND m.feed = 'birth_certificate' AND m.role = 'child' AND m.active
  LEFT JOIN identity.link l USING (mention_id)
  WHERE coalesce(b.issued_on, b.child_birth_date) < :as_of::date - :days::integer
    AND b.source_key IN (SELECT source_key FROM rule_mention WHERE feed = 'birth_certificate')),
-- The parents' records in the household register.
parents AS MATERIALIZED (
  SELECT c.source_key, array_agg(h.household_number) AS households,
         min(h.source_key) FILTER (WHERE m.role = 'mother' AND h.status = '1') AS mother_record,
         min(h.source_key) FILTER (WHERE m.role = 'father' AND h.status = '1') AS father_record
  FROM certificate c
  JOIN identity.mention m
    ON m.source_key = c.source_key AND m.feed = 'birth_certificate' AND m.role <> 'child' AND m.active
  JOIN identity.link l USING (mention_id)
  JOIN identity.link own ON own.person_id = l.person_id
  JOIN identity.mention registered
    ON registered.mention_id = own.mention_id AND registered.feed = 'household_register' AND registered.active
  JOIN registry.household_register h ON h.source_key = registered.source_key
  GROUP BY c.source_key),
child AS MATERIALIZED (
  SELECT c.*, p.households, p.mother_record, p.father_record FROM certificate c LEFT JOIN parents p USING (source_key)),
-- Those in the register who were born on one of these days.
born AS MATERIALIZED (
  SELECT m.household_code, m.birth_date, m.sex, m.name
  FROM (SELECT DISTINCT child_birth_date AS birth_date FROM certificate) c JOIN identity.mention m USING (birth_date)
  WHERE m.feed = 'household_register' AND m.active)
SELECT 'birth_certificate|' || c.source_key || '|' || c.role AS subject,
       'birth_certificate' AS feed, c.source_key, c.role, c.person_id, c.division,
       jsonb_build_object(
         'birth_date', masking.birth_date(c.child_birth_date), 'sex', c.child_sex, 'issued_on', c.issued_on,
         'mother_household_record', c.mother_record, 'father_household_record', c.father_record) AS evidence
FROM child c
WHERE c.mother_record IS NOT NULL
  AND NOT EXISTS (SELECT FROM identity.link l JOIN identity.mention m USING (mention_id)
                  WHERE l.person_id = c.person_id AND m.feed = 'household_register' AND m.active)
  AND NOT EXISTS (SELECT FROM born b
                  WHERE b.birth_date = c.child_birth_date AND b.sex = c.child_sex
                    AND (b.name = c.name OR b.household_code = ANY (c.households)))
