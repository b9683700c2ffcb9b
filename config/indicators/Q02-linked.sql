/*
indicator: Q02
title: { zh: 身份关联率, en: Share of mentions that are linked }
formula: 人员引用中，凭有效证件号码或与其他记录关联到人员者所占比例；单独成人（single）和姓名冲突（name_conflict）的不算。
unit: "%"
period: day
feeds: []
form: mean
block: Q01
source: docs/linkage.md
*/
WITH counted AS (
  SELECT p.division, sum(m.linked) AS found, sum(m.mentions) AS mentions
  FROM mention_count m JOIN place p ON p.leaf = CASE WHEN left(m.leaf, 6) = left(:county, 6) THEN m.leaf ELSE :county END
  GROUP BY p.division)
SELECT i.division, 100.0 * c.found / nullif(c.mentions, 0) AS value,
       coalesce(c.found, 0) AS numerator, coalesce(c.mentions, 0) AS denominator
FROM inhabitants i LEFT JOIN counted c USING (division)
