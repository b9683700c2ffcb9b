/*
indicator: S07
title: { zh: 总抚养比, en: Total dependency ratio }
formula: （0–14 岁 + 65 岁及以上）/ 15–64 岁常住人口 × 100。
unit: "%"
period: day
feeds: [residents]
form: ratio
block: S02
source: '国家统计局统计指标解释：人口（总抚养比）；Siegel, J. S., Swanson, D. A. (eds.). The Methods and Materials of Demography, 2nd ed. (2004), ch. 7'
*/
SELECT division, 100.0 * (age_0_14 + age_65) / nullif(age_15_64, 0) AS value, (age_0_14 + age_65) AS numerator, age_15_64 AS denominator
FROM inhabitants
