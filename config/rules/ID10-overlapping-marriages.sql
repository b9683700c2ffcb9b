/*
rule: ID10
title: { zh: 婚姻重叠, en: Overlapping marriages }
severity: high
owner: civil-affairs
evaluates: changed persons
wakes: []
definition: 同一人有两次结婚登记，对方不是同一人，其间没有离婚登记，前一配偶也没有死亡。
resolved_by: 民政核实两次登记，补录遗漏的离婚或死亡，或更正登记有误的当事人。
*/
WITH party AS MATERIALIZED (
  SELECT source_key, role, person_id, count(*) OVER (PARTITION BY person_id) AS registrations
  FROM rule_mention WHERE feed = 'marriage_registration'),
-- The registrations of persons who have several, from their side: who, and with whom.
side AS MATERIALIZED (
  SELECT own.source_key, own.role, own.person_id, r.event, r.registered_on,
         spouse.name AS spouse_name, spouse.id_number AS spouse_id_number, l.person_id AS spouse_id
  FROM party own
  JOIN registry.marriage_registration r USING (source_key)
  JOIN identity.mention spouse
    ON spouse.source_key = own.source_key AND spouse.feed = 'marriage_registration' AND spouse.role <> own.role
  JOIN identity.link l ON l.mention_id = spouse.mention_id
  WHERE own.registrations > 1 AND spouse.active),
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
