/*
indicator: S01
title: { zh: 性别比, en: Sex ratio }
formula: 常住男性 / 常住女性 × 100。
unit: 每百名女性 per 100 women
period: day
feeds: [residents]
form: ratio
within: [P02]
source: '国家统计局统计指标解释：人口（性别比）'
*/
SELECT division, 100.0 * men / nullif(women, 0) AS value, men AS numerator, women AS denominator
FROM inhabitants
