/*
rule: MP07
title: { zh: 户在人不在, en: Registered here and living elsewhere }
severity: medium
owner: villages
evaluates: changed relations
wakes:
  - { picture: sign, field: until, months: months, alone: true }
  - { picture: standing, field: birth_date, years: adult_years, alone: true }
parameters: { index: 0.3, months: 24, adult_years: 18 }
definition: 本地户籍（户口状态 1）的成年人，常住指数低于 0.3，且 24 个月内没有可据以判断常住的生活痕迹（哪些痕迹可以判断，由数据算出的权重决定，见 docs/population.md）。
resolved_by: 村居入户核实；确已外出的由村直报登记外出，仍在本地的核对其社保等登记的证件号码。
*/
SELECT 'person ' || t.person_id AS subject,
       'household_register' AS feed, t.registered_key AS source_key, 'subject' AS role, t.person_id,
       t.registered_division AS division,
       jsonb_build_object('index', i.index, 'left_on', t.left_on, 'signs', i.signs) AS evidence
FROM rule_person p
JOIN identity.residency i USING (person_id)
JOIN population.standing t USING (person_id)
WHERE i.index < :index::float8
  AND t.registered_key IS NOT NULL
  AND t.birth_date <= :as_of::date - make_interval(years => :adult_years::integer)
  -- Which kinds of signs tell of living here, their weights say.
  AND NOT EXISTS (SELECT FROM population.sign s JOIN population.sign_weight w USING (kind)
                  WHERE s.person_id = t.person_id AND w.informative AND s.since <= :as_of::date
                    AND (s.until IS NULL OR s.until >= :as_of::date - make_interval(months => :months::integer)))
