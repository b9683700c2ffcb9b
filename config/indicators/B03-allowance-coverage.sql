/*
indicator: B03
title: { zh: 低保覆盖率, en: Share of residents with the subsistence allowance }
formula: 常住人口中低保对象所占比例。
unit: "%"
period: day
feeds: [residents, subsistence_allowance]
form: share
within: [P02]
source: 《社会救助暂行办法》第二章
*/
WITH holder AS (
  SELECT DISTINCT l.person_id
  FROM registry.subsistence_allowance r
  JOIN identity.mention m ON m.source_key = r.source_key AND m.feed = 'subsistence_allowance' AND m.active
  JOIN identity.link l USING (mention_id)),
counted AS (
  SELECT p.division, count(*) FILTER (WHERE h.person_id IS NOT NULL) AS found, count(*) AS persons
  FROM presence r JOIN place p ON p.leaf = r.village LEFT JOIN holder h USING (person_id)
  WHERE r.village IS NOT NULL GROUP BY p.division)
SELECT i.division, 100.0 * c.found / nullif(c.persons, 0) AS value,
       coalesce(c.found, 0) AS numerator, coalesce(c.persons, 0) AS denominator
FROM inhabitants i LEFT JOIN counted c USING (division)
