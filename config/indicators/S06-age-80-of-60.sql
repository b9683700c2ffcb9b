/*
indicator: S06
title: { zh: 80 岁及以上占老年人口比, en: Share of those aged 80 and over among those of 60 and over }
formula: 80 岁及以上 / 60 岁及以上常住人口 × 100。
unit: "%"
period: day
feeds: [residents]
form: share
within: [S02]
*/
SELECT division, 100.0 * age_80 / nullif(age_60, 0) AS value, age_80 AS numerator, age_60 AS denominator
FROM inhabitants
