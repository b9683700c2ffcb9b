/*
rule: ST06
title: { zh: 一月一日生日堆积, en: Too many birthdays on 1 January }
severity: low
owner: source
evaluates: everything
parameters: { times: 3, persons: 500 }
definition: 一个报送项中出生日期为 1 月 1 日的人所占比例，超过应有比例（365.25 分之一）的 3 倍，这些出生日期可能是不知道月日时的代填。不足 500 人的不判断。
resolved_by: 报送部门核对出生日期的来源，补登真实月日。
*/
WITH counted AS (
  SELECT m.feed, count(*) AS persons,
         count(*) FILTER (WHERE extract(month FROM m.birth_date) = 1 AND extract(day FROM m.birth_date) = 1) AS on_new_year
  FROM identity.mention m WHERE m.active AND m.birth_date IS NOT NULL
  GROUP BY m.feed)
SELECT c.feed || ' ' || to_char(:as_of::date, 'YYYY') AS subject,
       c.feed, NULL::text AS source_key, NULL::text AS role, NULL::bigint AS person_id,
       NULL::text AS division,
       jsonb_build_object('persons', c.persons, 'born_on_1_january', c.on_new_year,
                          'times_expected', round(365.25 * c.on_new_year / c.persons, 1)) AS evidence
FROM counted c
WHERE c.persons >= :persons::integer AND 365.25 * c.on_new_year > :times::numeric * c.persons
