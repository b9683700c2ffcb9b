/*
indicator: P10
title: { zh: 分村人口, en: Residents by village }
formula: 各村居的常住人口。
unit: 人 persons
period: day
feeds: [residents]
form: count
block: P02
*/
SELECT division, residents AS value, NULL::integer AS numerator, NULL::integer AS denominator
FROM inhabitants
WHERE right(division, 3) <> '000'
