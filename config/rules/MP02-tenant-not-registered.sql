/*
rule: MP02
title: { zh: 租赁未居住登记（以房管人）, en: Tenant without residence registration }
severity: medium
owner: public-security
evaluates: everything
parameters: { days: 31 }
definition: 租赁备案有效且在租期内已超过 31 天，承租人不是本地户籍，也没有任何居住登记（有效或过期）。已死亡的不计（见 ID07）。
resolved_by: 公安上门核实，为承租人办理居住登记；已退租的由房产注销备案。
*/
WITH tenant AS (
  SELECT l.person_id, m.feed, m.source_key, m.role, m.id_number, m.name, m.phone, m.division, r.starts_on, r.ends_on
  FROM registry.housing_lease r
  JOIN identity.mention m
    ON m.source_key = r.source_key AND m.feed = 'housing_lease' AND m.role = 'tenant' AND m.active
  JOIN identity.link l USING (mention_id)
  WHERE r.status = '有效' AND r.starts_on < :as_of::date - :days::integer AND r.ends_on >= :as_of::date),
-- The registers in which a tenant may stand: living here, registered here, or dead.
registered AS NOT MATERIALIZED (
  SELECT m.mention_id, m.id_number, m.name, m.phone, m.division
  FROM identity.mention m
  LEFT JOIN registry.household_register h ON h.source_key = m.source_key AND m.feed = 'household_register'
  WHERE m.active AND (m.feed IN ('residence_registration', 'death_registration')
                      OR (m.feed = 'household_register' AND h.status IN ('1', '3'))))
SELECT t.feed || '|' || t.source_key || '|' || t.role AS subject,
       t.feed, t.source_key, t.role, t.person_id, t.division,
       jsonb_build_object('name', masking.name(t.name), 'starts_on', t.starts_on, 'ends_on', t.ends_on) AS evidence
FROM tenant t
WHERE NOT EXISTS (SELECT FROM registered r JOIN identity.link l USING (mention_id) WHERE l.person_id = t.person_id)
  -- A number that is registered under another name is ID01's question.
  AND NOT EXISTS (SELECT FROM registered r JOIN identity.link l USING (mention_id) WHERE l.id_number = t.id_number)
  -- Where a number is missing or wrong, the name with the phone or the place may tell that it is the same person.
  AND NOT EXISTS (SELECT FROM registered r
                  WHERE r.name = t.name AND (r.phone = t.phone OR r.division = t.division)
                    AND (r.id_number IS NULL OR t.id_number IS NULL))
