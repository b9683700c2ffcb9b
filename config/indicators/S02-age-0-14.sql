/*
indicator: S02
title: { zh: 0–14 岁占比, en: Share aged 0–14 }
formula: 0–14 岁常住人口 / 年龄已知的常住人口 × 100。
unit: "%"
period: day
feeds: [residents]
form: share
within: [P02]
source: '国家统计局统计指标解释：人口（人口年龄构成）'
*/
SELECT division, 100.0 * age_0_14 / nullif(of_known_age, 0) AS value, age_0_14 AS numerator, of_known_age AS denominator
FROM inhabitants
