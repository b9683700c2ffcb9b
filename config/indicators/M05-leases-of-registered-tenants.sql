/*
indicator: M05
title: { zh: 租赁备案登记匹配率, en: Share of leases whose tenant is registered }
formula: 在租期内的有效租赁备案中，承租人有本县户籍登记或有效居住登记的比例。按房屋所在地。
unit: "%"
period: day
feeds: [household_register, residence_registration, housing_lease]
form: share
*/
WITH registered AS (
  SELECT l.person_id
  FROM registry.residence_registration r
  JOIN identity.mention m ON m.source_key = r.source_key AND m.feed = 'residence_registration' AND m.active
  JOIN identity.link l USING (mention_id)
  WHERE r.registered_on <= :as_of::date AND r.valid_until >= :as_of::date
  UNION
  SELECT l.person_id
  FROM registry.household_register r
  JOIN identity.mention m ON m.source_key = r.source_key AND m.feed = 'household_register' AND m.active
  JOIN identity.link l USING (mention_id)
  WHERE r.status = '1'),
lease AS (
  SELECT r.division, bool_or(h.person_id IS NOT NULL) AS is_registered
  FROM registry.housing_lease r
  JOIN identity.mention m ON m.source_key = r.source_key AND m.feed = 'housing_lease' AND m.role = 'tenant' AND m.active
  JOIN identity.link l USING (mention_id) LEFT JOIN registered h USING (person_id)
  WHERE coalesce(r.status, '有效') = '有效' AND r.starts_on <= :as_of::date AND r.ends_on >= :as_of::date
  GROUP BY r.source_key, r.division),
counted AS (
  SELECT p.division, count(*) FILTER (WHERE r.is_registered) AS found, count(*) AS leases
  FROM lease r JOIN place p ON p.leaf = r.division GROUP BY p.division)
SELECT i.division, 100.0 * c.found / nullif(c.leases, 0) AS value,
       coalesce(c.found, 0) AS numerator, coalesce(c.leases, 0) AS denominator
FROM inhabitants i LEFT JOIN counted c USING (division)
