/*
indicator: P08
title: { zh: 常住户籍比, en: Residents per 100 registered persons }
formula: 常住人口 / 户籍人口 × 100。
unit: "%"
period: day
feeds: [residents]
form: ratio
within: [P01, P02]
*/
SELECT division, 100.0 * residents / nullif(registered, 0) AS value, residents AS numerator, registered AS denominator
FROM inhabitants
