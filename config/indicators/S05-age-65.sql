/*
indicator: S05
title: { zh: 65 岁及以上占比, en: Share aged 65 and over }
formula: 65 岁及以上常住人口 / 年龄已知的常住人口 × 100。
unit: "%"
period: day
feeds: [residents]
form: share
parts: [age_65, age_60_64]
block: S02
source: '国家统计局统计指标解释：人口（人口年龄构成）'
note: 60–64 岁人数是 S04 与 S05 之差，一并保护。
*/
SELECT division, 100.0 * age_65 / nullif(of_known_age, 0) AS value, age_65 AS numerator, of_known_age AS denominator, age_65, age_60 - age_65 AS age_60_64
FROM inhabitants
