/*
indicator: Q05
title: { zh: 报送合格率, en: Share of rows accepted }
formula: 12 个月内已读取的批次中，合格行数 / 收到行数。只计县。
unit: "%"
period: twelve months
feeds: []
form: records
*/
SELECT :county AS division, 100.0 * sum(accepted) / nullif(sum(received), 0) AS value,
       sum(accepted) AS numerator, sum(received) AS denominator
FROM ops.delivery
WHERE status IN ('applied', 'unchanged', 'held') AND business_date > :from::date AND business_date <= :as_of::date
