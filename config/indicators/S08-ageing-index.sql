/*
indicator: S08
title: { zh: 老少比, en: Ageing index }
formula: 65 岁及以上 / 0–14 岁常住人口 × 100。
unit: "%"
period: day
feeds: [residents]
form: ratio
block: S02
source: 'Siegel, J. S., Swanson, D. A. (eds.). The Methods and Materials of Demography, 2nd ed. (2004), ch. 7'
*/
SELECT division, 100.0 * age_65 / nullif(age_0_14, 0) AS value, age_65 AS numerator, age_0_14 AS denominator
FROM inhabitants
