/*
rule: DQ08
title: { zh: 农历生日误登, en: Lunar birthday recorded as a Gregorian date }
severity: medium
owner: source
evaluates: changed mentions
definition: 登记的出生日期的年、月、日，正是有效 18 位公民身份号码中出生日期的农历年、月、日。
resolved_by: 报送部门改为公历出生日期。
*/
WITH compared AS (
  SELECT m.*, CASE WHEN m.id_kind = 'resident' THEN substr(m.id_number, 7, 8)::date END AS birth_date_in_id
  FROM rule_mention m)
SELECT c.feed || '|' || c.source_key || '|' || c.role AS subject,
       c.feed, c.source_key, c.role, c.person_id, c.division,
       jsonb_build_object(
         'id_number', masking.id_number(c.id_given),
         'recorded_birth_date', masking.birth_date(c.birth_date),
         'birth_date_in_id_number', masking.birth_date(c.birth_date_in_id)) AS evidence
FROM compared c
JOIN reference.lunar_date l
  ON l.solar_date = c.birth_date_in_id
 AND l.lunar_date = to_char(c.birth_date, 'YYYYMMDD')::integer
WHERE c.birth_date <> c.birth_date_in_id
