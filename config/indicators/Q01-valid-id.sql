/*
indicator: Q01
title: { zh: 身份证号合格率, en: Share of mentions with a valid document number }
formula: 人员引用中，证件号码有效（GB 11643，含其他证件）者所占比例。按记录所写的地点，没有地点的只计入县。
unit: "%"
period: day
feeds: []
form: mean
source: GB 11643-1999
*/
WITH counted AS (
  SELECT p.division, sum(m.valid_id) AS found, sum(m.mentions) AS mentions
  FROM mention_count m JOIN place p ON p.leaf = CASE WHEN left(m.leaf, 6) = left(:county, 6) THEN m.leaf ELSE :county END
  GROUP BY p.division)
SELECT i.division, 100.0 * c.found / nullif(c.mentions, 0) AS value,
       coalesce(c.found, 0) AS numerator, coalesce(c.mentions, 0) AS denominator
FROM inhabitants i LEFT JOIN counted c USING (division)
