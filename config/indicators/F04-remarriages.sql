/*
indicator: F04
title: { zh: 再婚占比, en: Share of remarriages }
formula: 12 个月内登记结婚中，至少一方不是初婚的比例。
unit: "%"
period: twelve months
feeds: [residents, marriage_registration]
form: share
within: [F01]
*/
WITH marriage AS (
  SELECT w.village, bool_or(s.is_again) AS is_again
  FROM wedded w JOIN spouse s USING (certificate) GROUP BY w.certificate, w.village),
counted AS (
  SELECT p.division, count(*) FILTER (WHERE m.is_again) AS again, count(*) AS couples
  FROM marriage m JOIN place p ON p.leaf = m.village GROUP BY p.division)
SELECT i.division, 100.0 * c.again / nullif(c.couples, 0) AS value,
       coalesce(c.again, 0) AS numerator, coalesce(c.couples, 0) AS denominator
FROM inhabitants i LEFT JOIN counted c USING (division)
