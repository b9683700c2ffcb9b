/*
rule: ID13
title: { zh: 母亲年龄异常, en: Age of the mother or interval of births cannot be right }
severity: medium
owner: health
evaluates: changed relations
wakes: []
parameters: { youngest: 13, oldest: 55, months: 6 }
definition: 分娩时母亲不满 13 周岁，或超过 55 周岁（满 56 周岁）；或同一母亲的两次分娩相隔不足 6 个月，同日或次日出生的多胞胎除外。年龄按母亲的有效公民身份号码计，没有的按登记的出生日期计。疑点落在后一次分娩的证明上。
resolved_by: 卫健核实母亲证件和出生日期，更正出生医学证明。
*/
-- Outer joins where inner ones would do: these the planner takes for one row, and loops over the pairs below.
WITH birth AS MATERIALIZED (
  SELECT m.feed, m.source_key, m.role, m.division, m.id_given, l.person_id, b.child_birth_date,
         coalesce(CASE WHEN m.id_kind IN ('resident', 'resident_15') THEN substr(m.id_number, 7, 8)::date END,
                  m.birth_date) AS mother_birth_date
  FROM registry.birth_certificate b
  LEFT JOIN identity.mention m
    ON m.source_key = b.source_key AND m.feed = 'birth_certificate' AND m.role = 'mother' AND m.active
  LEFT JOIN identity.link l USING (mention_id)
  WHERE b.source_key IN (SELECT source_key FROM rule_mention WHERE feed = 'birth_certificate')),
close AS (
  SELECT DISTINCT ON (later.source_key)
         later.source_key, earlier.source_key AS earlier_record, earlier.child_birth_date AS earlier_on
  FROM birth earlier JOIN birth later USING (person_id)
  WHERE later.child_birth_date > earlier.child_birth_date + 1
    AND later.child_birth_date < earlier.child_birth_date + make_interval(months => :months::integer)
  ORDER BY later.source_key, earlier.child_birth_date DESC, earlier.source_key)
SELECT b.feed || '|' || b.source_key || '|' || b.role AS subject,
       b.feed, b.source_key, b.role, b.person_id, b.division,
       jsonb_build_object(
         'mother_id_number', masking.id_number(b.id_given),
         'mother_birth_date', masking.birth_date(b.mother_birth_date),
         'years', extract(year FROM age(b.child_birth_date, b.mother_birth_date)),
         'earlier_record', c.earlier_record, 'days_apart', b.child_birth_date - c.earlier_on) AS evidence
FROM birth b LEFT JOIN close c USING (source_key)
WHERE c.source_key IS NOT NULL
   OR b.child_birth_date < b.mother_birth_date + make_interval(years => :youngest::integer)
   OR b.child_birth_date >= b.mother_birth_date + make_interval(years => :oldest::integer + 1)
