/*
indicator: P02
title: { zh: 常住人口, en: Resident population }
formula: 户籍人口 − 在县外居住者 + 在本县居住半年以上的非户籍者（居住类别 local + separated + in_migrant）。
unit: 人 persons
period: day
feeds: [residents]
form: count
source: '国家统计局统计指标解释：人口（常住人口）；docs/population.md'
*/
SELECT division, residents AS value, NULL::integer AS numerator, NULL::integer AS denominator
FROM inhabitants
