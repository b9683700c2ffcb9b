/*
rule: MP11
title: { zh: 一址多户无亲属关系, en: Many unrelated persons at one dwelling }
severity: medium
owner: public-security
evaluates: everything
parameters: { persons: 8 }
definition: 同一房屋编码下，有效居住登记中互无亲属关系的人达到 8 人以上（含）。同户、夫妻、父母与子女、学生与监护人算有亲属关系，互有亲属关系的一群人只计一人。已死亡的不计。
resolved_by: 公安上门核实是否群租、虚登，注销已搬离的人；集体宿舍注明后消除。
*/
WITH RECURSIVE resident AS MATERIALIZED (
  SELECT DISTINCT r.dwelling_code, l.person_id
  FROM registry.residence_registration r
  JOIN identity.mention m ON m.source_key = r.source_key AND m.feed = 'residence_registration' AND m.active
  JOIN identity.link l USING (mention_id)
  WHERE r.valid_until >= :as_of::date
    -- Before persons are looked up: a dwelling with fewer registrations has fewer persons.
    AND r.dwelling_code IN (
      SELECT dwelling_code FROM registry.residence_registration WHERE valid_until >= :as_of::date
      GROUP BY dwelling_code HAVING count(*) >= :persons::integer)),
crowded AS MATERIALIZED (
  SELECT dwelling_code, person_id
  FROM resident
  WHERE dwelling_code IN (SELECT dwelling_code FROM resident GROUP BY dwelling_code HAVING count(*) >= :persons::integer)
    AND NOT EXISTS (SELECT FROM identity.link l JOIN identity.mention m USING (mention_id)
                    WHERE l.person_id = resident.person_id AND m.active AND m.feed = 'death_registration')),
-- Records that name two persons as a family: a couple, a child with its parents or guardian, a household.
family AS MATERIALIZED (
  SELECT DISTINCT c.person_id, coalesce(m.household_code, m.feed || '|' || m.source_key) AS record
  FROM (SELECT DISTINCT person_id FROM crowded) c
  JOIN identity.link l USING (person_id)
  JOIN identity.mention m USING (mention_id)
  WHERE m.active AND m.feed IN ('marriage_registration', 'birth_certificate', 'school_enrolment', 'household_register')),
related AS MATERIALIZED (
  SELECT DISTINCT one.dwelling_code, one.person_id, other.person_id AS relative_id
  FROM crowded one
  JOIN family f ON f.person_id = one.person_id
  JOIN family g USING (record)
  JOIN crowded other ON other.person_id = g.person_id AND other.dwelling_code = one.dwelling_code
  WHERE other.person_id <> one.person_id),
reached AS (
  SELECT dwelling_code, person_id, person_id AS relative_id FROM crowded
  UNION
  SELECT r.dwelling_code, r.person_id, n.relative_id
  FROM reached r JOIN related n ON n.dwelling_code = r.dwelling_code AND n.person_id = r.relative_id),
-- A family is known by the first of its members.
kin AS (
  SELECT dwelling_code, person_id, min(relative_id) AS family FROM reached GROUP BY dwelling_code, person_id)
SELECT 'dwelling ' || k.dwelling_code AS subject,
       'residence_registration' AS feed, a.source_key, NULL::text AS role, NULL::bigint AS person_id, a.division,
       jsonb_build_object(
         'dwelling_code', k.dwelling_code, 'persons', count(*), 'families', count(DISTINCT k.family)) AS evidence
FROM kin k
JOIN LATERAL (
  SELECT r.source_key, r.living_division AS division FROM registry.residence_registration r
  WHERE r.dwelling_code = k.dwelling_code AND r.valid_until >= :as_of::date
  ORDER BY r.registered_on, r.source_key LIMIT 1) a ON true
GROUP BY k.dwelling_code, a.source_key, a.division
HAVING count(DISTINCT k.family) >= :persons::integer
