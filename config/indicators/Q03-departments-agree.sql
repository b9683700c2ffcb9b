/*
indicator: Q03
title: { zh: 部门一致率, en: Share of persons on whom departments agree }
formula: 见于两个及以上报送项的人员中，姓名、性别、出生日期各部门一致者所占比例。按现住地，无现住地的按户籍地，都没有的只计入县。
unit: "%"
period: day
feeds: []
form: mean
source: docs/profile.md
*/
WITH shared AS (
  SELECT l.person_id FROM identity.mention m JOIN identity.link l USING (mention_id)
  WHERE m.active GROUP BY l.person_id HAVING min(m.feed) <> max(m.feed)),
disputed AS (
  SELECT DISTINCT person_id FROM population.disagreement WHERE attribute IN ('name', 'sex', 'birth_date')),
counted AS (
  SELECT p.division, count(*) FILTER (WHERE d.person_id IS NULL) AS found, count(*) AS persons
  FROM shared s LEFT JOIN presence v USING (person_id) LEFT JOIN disputed d USING (person_id)
  JOIN place p ON p.leaf = coalesce(v.village, v.registered_village, :county) GROUP BY p.division)
SELECT i.division, 100.0 * c.found / nullif(c.persons, 0) AS value,
       coalesce(c.found, 0) AS numerator, coalesce(c.persons, 0) AS denominator
FROM inhabitants i LEFT JOIN counted c USING (division)
