/*
indicator: B04
title: { zh: 待遇领取者存活核验率, en: Share of recipients who could be checked against deaths }
formula: 领取养老待遇或低保的人员中，其记录已关联到人员（Q02，因而每晚与死亡登记比对）者所占比例。按现住地，无现住地的按户籍地，都没有的只计入县。
unit: "%"
period: day
feeds: [social_insurance, subsistence_allowance, death_registration]
form: share
*/
WITH recipient AS (
  SELECT person_id, bool_or(is_checked) AS is_checked
  FROM (SELECT person_id, is_checked FROM insured WHERE draws_benefit
        UNION ALL
        SELECT l.person_id, l.method NOT IN ('single', 'name_conflict')
        FROM identity.mention m JOIN identity.link l USING (mention_id)
        WHERE m.active AND m.feed = 'subsistence_allowance') told
  GROUP BY person_id),
counted AS (
  SELECT p.division, count(*) FILTER (WHERE r.is_checked) AS found, count(*) AS persons
  FROM recipient r LEFT JOIN presence v USING (person_id)
  JOIN place p ON p.leaf = coalesce(v.village, v.registered_village, :county) GROUP BY p.division)
SELECT i.division, 100.0 * c.found / nullif(c.persons, 0) AS value,
       coalesce(c.found, 0) AS numerator, coalesce(c.persons, 0) AS denominator
FROM inhabitants i LEFT JOIN counted c USING (division)
