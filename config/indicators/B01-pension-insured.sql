/*
indicator: B01
title: { zh: 养老参保率, en: Share of eligible residents with pension insurance }
formula: 16 岁及以上、不在学的常住人口中，城镇职工或城乡居民养老保险正常参保或正在领取待遇者所占比例。
unit: "%"
period: day
feeds: [residents]
form: share
within: [P02]
source: 《中华人民共和国社会保险法》第二章；国发〔2014〕8 号：年满 16 周岁（不含在校学生）
*/
WITH pupil AS (
  SELECT DISTINCT l.person_id
  FROM registry.school_enrolment r
  JOIN identity.mention m ON m.source_key = r.source_key AND m.feed = 'school_enrolment' AND m.active
  JOIN identity.link l USING (mention_id)
  WHERE m.role = 'subject'),
counted AS (
  SELECT p.division, count(*) FILTER (WHERE h.has_pension) AS found, count(*) AS persons
  FROM presence r JOIN place p ON p.leaf = r.village
  LEFT JOIN insured h USING (person_id) LEFT JOIN pupil s USING (person_id)
  WHERE r.age >= 16 AND s.person_id IS NULL GROUP BY p.division)
SELECT i.division, 100.0 * c.found / nullif(c.persons, 0) AS value,
       coalesce(c.found, 0) AS numerator, coalesce(c.persons, 0) AS denominator
FROM inhabitants i LEFT JOIN counted c USING (division)
