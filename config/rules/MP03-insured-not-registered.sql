/*
rule: MP03
title: { zh: 参保满半年未居住登记, en: Insured here for half a year without residence registration }
severity: medium
owner: public-security
evaluates: everything
parameters: { months: 6 }
definition: 在本地参保（参保状态 1）已满 6 个月，不是本地户籍，也没有居住登记。已死亡的不计（见 ID05）。每人一个疑点，落在最早的一条有效参保记录上。
resolved_by: 公安核实居住情况，为本人办理居住登记。
*/
-- The registers in which an insured person may stand: living here, registered here, or dead.
WITH registered AS MATERIALIZED (
  SELECT l.person_id, m.id_number, m.name, m.birth_date
  FROM identity.mention m
  JOIN identity.link l USING (mention_id)
  LEFT JOIN registry.household_register h ON h.source_key = m.source_key AND m.feed = 'household_register'
  WHERE m.active AND (m.feed IN ('residence_registration', 'death_registration')
                      OR (m.feed = 'household_register' AND h.status IN ('1', '3')))),
insured AS (
  SELECT DISTINCT ON (l.person_id)
         l.person_id, m.feed, m.source_key, m.role, m.division, m.id_number, m.name, m.birth_date, s.insured_since
  FROM registry.social_insurance s
  JOIN identity.mention m ON m.source_key = s.source_key AND m.feed = 'social_insurance' AND m.active
  JOIN identity.link l USING (mention_id)
  WHERE s.status = '1' AND s.insured_since <= :as_of::date - make_interval(months => :months::integer)
    AND NOT EXISTS (SELECT FROM registered r WHERE r.person_id = l.person_id)
  ORDER BY l.person_id, s.insured_since, s.source_key)
SELECT 'person ' || i.person_id AS subject,
       i.feed, i.source_key, i.role, i.person_id, i.division,
       jsonb_build_object('name', masking.name(i.name), 'insured_since', i.insured_since) AS evidence
FROM insured i
-- A number that is registered under another name is ID01's question.
WHERE NOT EXISTS (SELECT FROM registered r WHERE r.id_number = i.id_number)
  -- Where a number is missing or wrong, the name with the birth date may tell that it is the same person.
  AND NOT EXISTS (SELECT FROM registered r
                  WHERE r.name = i.name AND r.birth_date = i.birth_date
                    AND (r.id_number IS NULL OR i.id_number IS NULL))
