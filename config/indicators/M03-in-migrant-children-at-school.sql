/*
indicator: M03
title: { zh: 随迁子女入学率, en: Share of school-age in-migrants at school }
formula: 6–14 岁流入人口中有学籍者所占比例。
unit: "%"
period: day
feeds: [residents]
form: share
within: [P03]
source: 《中华人民共和国义务教育法》第十一条、第十二条
*/
WITH holder AS (
  SELECT DISTINCT l.person_id
  FROM registry.school_enrolment r
  JOIN identity.mention m ON m.source_key = r.source_key AND m.feed = 'school_enrolment' AND m.active
  JOIN identity.link l USING (mention_id)
  WHERE m.role = 'subject'),
counted AS (
  SELECT p.division, count(*) FILTER (WHERE h.person_id IS NOT NULL) AS found, count(*) AS persons
  FROM presence r JOIN place p ON p.leaf = r.village LEFT JOIN holder h USING (person_id)
  WHERE r.category = 'in_migrant' AND r.age BETWEEN 6 AND 14 GROUP BY p.division)
SELECT i.division, 100.0 * c.found / nullif(c.persons, 0) AS value,
       coalesce(c.found, 0) AS numerator, coalesce(c.persons, 0) AS denominator
FROM inhabitants i LEFT JOIN counted c USING (division)
