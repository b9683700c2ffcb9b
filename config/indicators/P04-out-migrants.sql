/*
indicator: P04
title: { zh: 流出人口, en: Out-migrants }
formula: 户籍在本区划、在县外居住的人数（居住类别 out_migrant）。
unit: 人 persons
period: day
feeds: [residents]
form: count
within: [P01, P02]
block: P03
source: '国家统计局统计指标解释：人口（流动人口）'
*/
SELECT division, out_migrants AS value, NULL::integer AS numerator, NULL::integer AS denominator
FROM inhabitants
