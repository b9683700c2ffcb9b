/*
rule: DQ07
title: { zh: 出生日期与证号不符, en: Birth date differs from the identity number }
severity: high
owner: source
evaluates: changed mentions
definition: 登记的出生日期与有效 18 位公民身份号码中的日期不同，且不能用农历生日（DQ08）解释。
resolved_by: 报送部门核对证件，更正出生日期或号码。
*/
WITH compared AS (
  SELECT m.*, CASE WHEN m.id_kind = 'resident' THEN substr(m.id_number, 7, 8)::date END AS birth_date_in_id
  FROM rule_mention m)
SELECT c.feed || '|' || c.source_key || '|' || c.role AS subject,
       c.feed, c.source_key, c.role, c.person_id, c.division,
       jsonb_build_object(
         'id_number', masking.id_number(c.id_given),
         'recorded_birth_date', masking.birth_date(c.birth_date),
         'birth_date_in_id_number', masking.birth_date(c.birth_date_in_id),
         'same_year', date_part('year', c.birth_date) = date_part('year', c.birth_date_in_id),
         'same_month', date_part('month', c.birth_date) = date_part('month', c.birth_date_in_id),
         'same_day', date_part('day', c.birth_date) = date_part('day', c.birth_date_in_id)) AS evidence
FROM compared c
WHERE c.birth_date <> c.birth_date_in_id
  AND NOT EXISTS (SELECT FROM reference.lunar_date l
                  WHERE l.solar_date = c.birth_date_in_id
                    AND l.lunar_date = to_char(c.birth_date, 'YYYYMMDD')::integer)
