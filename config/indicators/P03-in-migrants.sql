/*
indicator: P03
title: { zh: 流入人口, en: In-migrants }
formula: 户籍不在本县、在本县居住半年以上的人数（居住类别 in_migrant）。
unit: 人 persons
period: day
feeds: [residence_registration, social_insurance, housing_lease, school_enrolment]
form: count
within: [P01, P02]
source: '国家统计局统计指标解释：人口（流动人口）'
*/
SELECT division, in_migrants AS value, NULL::integer AS numerator, NULL::integer AS denominator
FROM inhabitants
