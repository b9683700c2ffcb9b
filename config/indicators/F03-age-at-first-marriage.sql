/*
indicator: F03
title: { zh: 平均初婚年龄, en: Mean age at first marriage }
formula: 12 个月内登记结婚的初婚者结婚时的平均年龄，按性别。初婚：没有更早的婚姻登记，户籍登记也未注明再婚、复婚。
unit: 岁 years
period: twelve months
feeds: [residents, marriage_registration]
form: mean
within: [F01]
series: 性别（GB/T 2261.1）
source: 'Siegel, J. S., Swanson, D. A. (eds.). The Methods and Materials of Demography, 2nd ed. (2004), ch. 9'
*/
WITH counted AS (
  SELECT p.division, s.sex, count(*) AS persons, sum(s.age) AS ages
  FROM spouse s JOIN wedded w USING (certificate) JOIN place p ON p.leaf = w.village
  WHERE NOT s.is_again AND s.age IS NOT NULL GROUP BY p.division, s.sex)
SELECT i.division, x.sex AS series, c.ages / nullif(c.persons, 0) AS value, c.ages AS numerator,
       coalesce(c.persons, 0) AS denominator
FROM inhabitants i CROSS JOIN (VALUES ('1'), ('2')) AS x (sex)
LEFT JOIN counted c ON c.division = i.division AND c.sex = x.sex
