/*
indicator: S04
title: { zh: 60 岁及以上占比, en: Share aged 60 and over }
formula: 60 岁及以上常住人口 / 年龄已知的常住人口 × 100。
unit: "%"
period: day
feeds: [residents]
form: share
block: S02
source: '国家统计局统计指标解释：人口（人口年龄构成）'
*/
SELECT division, 100.0 * age_60 / nullif(of_known_age, 0) AS value, age_60 AS numerator, of_known_age AS denominator
FROM inhabitants
