/*
indicator: S03
title: { zh: 15–59 岁占比, en: Share aged 15–59 }
formula: 15–59 岁常住人口 / 年龄已知的常住人口 × 100。
unit: "%"
period: day
feeds: [residents]
form: share
block: S02
source: '国家统计局统计指标解释：人口（人口年龄构成）'
*/
SELECT division, 100.0 * age_15_59 / nullif(of_known_age, 0) AS value, age_15_59 AS numerator, of_known_age AS denominator
FROM inhabitants
