/*
rule: DQ15
title: { zh: 事件先后矛盾, en: Event before birth or after death }
severity: high
owner: source
evaluates: changed persons
wakes: []
definition: 本人的事件早于出生，或晚于死亡。出生以有效公民身份号码中的日期为准（本条没有有效号码的，用同一人其他记录的），死亡以殡葬火化登记的最早死亡日期为准。事件指死亡、结婚、离婚、迁入、居住登记、参保、起租、不动产登记、生育（母亲）、开业，以及村报的死亡、迁入、迁出、外出、返乡；死亡本身不与死亡日期相比，父亲死后出生的子女不计。疑点落在该事件的记录上。
resolved_by: 报送部门核实事件日期、当事人号码；死亡登记有误的由民政更正。
*/
WITH before_birth AS (
  SELECT m.mention_id, m.id_number, r.moved_in_on AS event_on
  FROM registry.household_register r JOIN rule_mention m ON m.source_key = r.source_key AND m.role = 'subject' AND m.feed = 'household_register'
  WHERE r.moved_in_on < substr(m.id_number, 7, 8)::date AND m.id_kind IN ('resident', 'resident_15')
  UNION ALL
  SELECT m.mention_id, m.id_number, r.registered_on
  FROM registry.residence_registration r JOIN rule_mention m ON m.source_key = r.source_key AND m.role = 'subject' AND m.feed = 'residence_registration'
  WHERE r.registered_on < substr(m.id_number, 7, 8)::date AND m.id_kind IN ('resident', 'resident_15')
  UNION ALL
  SELECT m.mention_id, m.id_number, r.registered_on
  FROM registry.marriage_registration r JOIN rule_mention m ON m.source_key = r.source_key AND m.role = 'husband' AND m.feed = 'marriage_registration'
  WHERE r.registered_on < substr(m.id_number, 7, 8)::date AND m.id_kind IN ('resident', 'resident_15')
  UNION ALL
  SELECT m.mention_id, m.id_number, r.registered_on
  FROM registry.marriage_registration r JOIN rule_mention m ON m.source_key = r.source_key AND m.role = 'wife' AND m.feed = 'marriage_registration'
  WHERE r.registered_on < substr(m.id_number, 7, 8)::date AND m.id_kind IN ('resident', 'resident_15')
  UNION ALL
  SELECT m.mention_id, m.id_number, r.died_on
  FROM registry.death_registration r JOIN rule_mention m ON m.source_key = r.source_key AND m.role = 'subject' AND m.feed = 'death_registration'
  WHERE r.died_on < substr(m.id_number, 7, 8)::date AND m.id_kind IN ('resident', 'resident_15')
  UNION ALL
  SELECT m.mention_id, m.id_number, r.insured_since
  FROM registry.social_insurance r JOIN rule_mention m ON m.source_key = r.source_key AND m.role = 'subject' AND m.feed = 'social_insurance'
  WHERE r.insured_since < substr(m.id_number, 7, 8)::date AND m.id_kind IN ('resident', 'resident_15')
  UNION ALL
  SELECT m.mention_id, m.id_number, r.starts_on
  FROM registry.housing_lease r JOIN rule_mention m ON m.source_key = r.source_key AND m.role = 'landlord' AND m.feed = 'housing_lease'
  WHERE r.starts_on < substr(m.id_number, 7, 8)::date AND m.id_kind IN ('resident', 'resident_15')
  UNION ALL
  SELECT m.mention_id, m.id_number, r.starts_on
  FROM registry.housing_lease r JOIN rule_mention m ON m.source_key = r.source_key AND m.role = 'tenant' AND m.feed = 'housing_lease'
  WHERE r.starts_on < substr(m.id_number, 7, 8)::date AND m.id_kind IN ('resident', 'resident_15')
  UNION ALL
  SELECT m.mention_id, m.id_number, r.registered_on
  FROM registry.housing_ownership r JOIN rule_mention m ON m.source_key = r.source_key AND m.role = 'owner' AND m.feed = 'housing_ownership'
  WHERE r.registered_on < substr(m.id_number, 7, 8)::date AND m.id_kind IN ('resident', 'resident_15')
  UNION ALL
  SELECT m.mention_id, m.id_number, r.child_birth_date
  FROM registry.birth_certificate r JOIN rule_mention m ON m.source_key = r.source_key AND m.role = 'mother' AND m.feed = 'birth_certificate'
  WHERE r.child_birth_date < substr(m.id_number, 7, 8)::date AND m.id_kind IN ('resident', 'resident_15')
  UNION ALL
  SELECT m.mention_id, m.id_number, r.established_on
  FROM registry.sole_trader r JOIN rule_mention m ON m.source_key = r.source_key AND m.role = 'operator' AND m.feed = 'sole_trader'
  WHERE r.established_on < substr(m.id_number, 7, 8)::date AND m.id_kind IN ('resident', 'resident_15')
  UNION ALL
  SELECT m.mention_id, m.id_number, r.event_on
  FROM registry.village_report r JOIN rule_mention m ON m.source_key = r.source_key AND m.role = 'subject' AND m.feed = 'village_report'
  WHERE r.event_on < substr(m.id_number, 7, 8)::date AND m.id_kind IN ('resident', 'resident_15') AND r.event <> '出生'),
-- Who has no valid number here, but elsewhere.
unnumbered AS (
  SELECT m.mention_id, m.feed, m.source_key, m.role, min(other.id_number) AS id_number
  FROM rule_mention m
  JOIN identity.link other ON other.person_id = m.person_id AND other.id_number IS NOT NULL
  WHERE m.id_kind NOT IN ('resident', 'resident_15')
  GROUP BY m.mention_id, m.feed, m.source_key, m.role),
death AS MATERIALIZED (
  SELECT DISTINCT ON (m.person_id) m.person_id, d.source_key AS death_record, d.died_on
  FROM registry.death_registration d
  JOIN rule_mention m ON m.source_key = d.source_key AND m.feed = 'death_registration'
  -- A death before birth is a case itself, and no limit for others.
  WHERE to_char(d.died_on, 'YYYYMMDD') >= coalesce(substr(m.id_number, 7, 8), '')
  ORDER BY m.person_id, d.died_on, d.source_key),
limited AS (
  SELECT mention_id, feed, source_key, role, id_number, NULL::date AS died_on, NULL AS death_record FROM unnumbered
  UNION ALL
  SELECT m.mention_id, m.feed, m.source_key, m.role, NULL, d.died_on, d.death_record
  FROM death d JOIN identity.link l USING (person_id) JOIN identity.mention m USING (mention_id)
  WHERE m.active AND m.feed <> 'death_registration'),
-- Each record is looked up in its own feed alone: a join with `event` would look for each in all of them.
dated AS (
  SELECT x.*, CASE x.feed
    WHEN 'household_register' THEN
      (SELECT r.moved_in_on FROM registry.household_register r WHERE r.source_key = x.source_key)
    WHEN 'residence_registration' THEN
      (SELECT r.registered_on FROM registry.residence_registration r WHERE r.source_key = x.source_key)
    WHEN 'marriage_registration' THEN
      (SELECT r.registered_on FROM registry.marriage_registration r WHERE r.source_key = x.source_key)
    WHEN 'death_registration' THEN
      (SELECT r.died_on FROM registry.death_registration r WHERE r.source_key = x.source_key)
    WHEN 'social_insurance' THEN
      (SELECT r.insured_since FROM registry.social_insurance r WHERE r.source_key = x.source_key)
    WHEN 'housing_lease' THEN
      (SELECT r.starts_on FROM registry.housing_lease r WHERE r.source_key = x.source_key)
    WHEN 'housing_ownership' THEN
      (SELECT r.registered_on FROM registry.housing_ownership r WHERE r.source_key = x.source_key)
    WHEN 'birth_certificate' THEN
      (SELECT r.child_birth_date FROM registry.birth_certificate r
       WHERE r.source_key = x.source_key AND x.role = 'mother')
    WHEN 'sole_trader' THEN
      (SELECT r.established_on FROM registry.sole_trader r WHERE r.source_key = x.source_key)
    WHEN 'village_report' THEN
      (SELECT r.event_on FROM registry.village_report r
       WHERE r.source_key = x.source_key AND r.event NOT IN ('出生', '死亡'))
    END AS event_on
  FROM limited x),
contradiction AS (
  SELECT mention_id, event_on, id_number, NULL::date AS died_on, NULL AS death_record FROM before_birth
  UNION ALL
  SELECT mention_id, event_on, id_number, died_on, death_record FROM dated
  WHERE event_on < substr(id_number, 7, 8)::date OR event_on > died_on)
SELECT DISTINCT ON (c.mention_id)
       m.feed || '|' || m.source_key || '|' || m.role AS subject,
       m.feed, m.source_key, m.role, l.person_id, m.division,
       jsonb_build_object(
         'contradiction', CASE WHEN c.id_number IS NULL THEN 'after death' ELSE 'before birth' END,
         'event_on', c.event_on, 'died_on', c.died_on, 'death_record', c.death_record,
         'birth_date_in_id_number', masking.birth_date(substr(c.id_number, 7, 8)::date)) AS evidence
FROM contradiction c
JOIN identity.mention m USING (mention_id)
LEFT JOIN identity.link l USING (mention_id)
ORDER BY c.mention_id, c.id_number, c.died_on
