/*
indicator: P09
title: { zh: 人口增长率, en: Population growth rate }
formula: （常住人口 − 一年前常住人口）/ 一年前常住人口 × 100。
unit: "%"
period: twelve months
feeds: [residents]
compares: true
form: ratio
parts: [denominator]
within: [P02]
source: 'Siegel, J. S., Swanson, D. A. (eds.). The Methods and Materials of Demography, 2nd ed. (2004), ch. 11'
*/
SELECT division, 100.0 * (residents - residents_before) / nullif(residents_before, 0) AS value,
       residents - residents_before AS numerator, residents_before AS denominator
FROM inhabitants
