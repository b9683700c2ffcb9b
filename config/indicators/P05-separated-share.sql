/*
indicator: P05
title: { zh: 人户分离率, en: Share of residents who live elsewhere than registered }
formula: （separated + in_migrant）/ 常住人口 × 100：现住村居与户籍村居不同的常住人口所占比例。
unit: "%"
period: day
feeds: [residents]
form: share
parts: [local, separated]
within: [P01, P02]
block: P03
source: '国家统计局统计指标解释：人口（人户分离人口）；村居口径，严于乡镇口径'
*/
SELECT division, 100.0 * (separated + in_migrants) / nullif(residents, 0) AS value,
       separated + in_migrants AS numerator, residents AS denominator, local, separated
FROM inhabitants
