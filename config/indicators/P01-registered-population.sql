/*
indicator: P01
title: { zh: 户籍人口, en: Registered population }
formula: 在户籍登记中状态正常的在世人员数。一人重复登记只计一次；已知死亡而未注销的不计。
unit: 人 persons
period: day
feeds: [household_register]
form: count
source: '国家统计局统计指标解释：人口'
*/
SELECT division, registered AS value, NULL::integer AS numerator, NULL::integer AS denominator
FROM inhabitants
