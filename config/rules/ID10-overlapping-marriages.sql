/*
rule: ID10
title: { zh: 婚姻重叠, en: Overlapping marriages }
severity: high
owner: civil-affairs
evaluates: changed relations
wakes: []
definition: 同一人有两次结婚登记，对方不是同一人，其间没有离婚登记，前一配偶也没有死亡。
resolved_by: 民政核实两次登记，补录遗漏的离婚或死亡，或更正登记有误的当事人。
*/
WITH party AS MATERIALIZED (
  SELECT source_key, role, person_id, count(*) OVER (PARTITION BY person_id) AS registrations
  FROM rule_mention WHERE feed = 'marriage_registration'),
-- The registrations of persons who have several, from their side: who, and with whom. One by one: the planner would take
-- them for many, and read all.
side AS MATERIALIZED (
  SELECT own.source_key, own.role, own.person_id, r.event, r.registered_on,
         spouse.name AS spouse_name, spouse.id_number AS spouse_id_number, l.person_id AS spouse_id
  FROM (SELECT * FROM party WHERE registrations > 1) own
  CROSS JOIN LATERAL (
    SELECT event, registered_on FROM registry.marriage_registration r WHERE r.source_key = own.source_key OFFSET 0) r
  CROSS JOIN LATERAL (
    SELECT m.mention_id, m.name, m.id_number FROM identity.mention m
    WHERE m.source_key = own.source_key AND m.feed = 'marriage_registration' AND m.role <> own.role AND m.active OFFSET 0) spouse
  CROSS JOIN LATERAL (SELECT person_id FROM identity.link l WHERE l.mention_id = spouse.mention_id OFFSET 0) l),
overlap AS (
  SELECT DISTINCT ON (later.person_id, later.source_key)
         later.source_key, later.role, later.person_id, later.registered_on,
         earlier.source_key AS earlier_key, earlier.registered_on AS earlier_on
  FROM side earlier
  JOIN side later
    ON later.person_id = earlier.person_id
   AND (later.registered_on, later.source_key) > (earlier.registered_on, earlier.source_key)
   -- The same couple registered again is no overlap. Where a number is missing or wrong, the name decides.
   AND later.spouse_id <> earlier.spouse_id
   AND coalesce(later.spouse_id_number <> earlier.spouse_id_number, later.spouse_name <> earlier.spouse_name)
  WHERE earlier.event = '结婚' AND later.event = '结婚'
    AND NOT EXISTS (SELECT FROM side divorce
                    WHERE divorce.event = '离婚' AND divorce.person_id = earlier.person_id
                      AND divorce.registered_on BETWEEN earlier.registered_on AND later.registered_on)
    AND NOT EXISTS (SELECT FROM side divorce
                    WHERE divorce.event = '离婚' AND divorce.person_id = earlier.spouse_id
                      AND divorce.registered_on BETWEEN earlier.registered_on AND later.registered_on)
    -- The first spouse's death, by its own registration or by the household register.
    AND NOT EXISTS (SELECT FROM population.death d
                    WHERE d.person_id = earlier.spouse_id
                      AND least(d.died_on, d.cancelled_on) <= later.registered_on)
  ORDER BY later.person_id, later.source_key, earlier.registered_on DESC, earlier.source_key DESC)
SELECT 'marriage_registration|' || o.source_key || '|' || o.role AS subject,
       'marriage_registration' AS feed, o.source_key, o.role, o.person_id, NULL::text AS division,
       jsonb_build_object(
         'registered_on', o.registered_on,
         'earlier_record', o.earlier_key, 'earlier_registered_on', o.earlier_on) AS evidence
FROM overlap o
