/*
indicator: Q04
title: { zh: 报送及时率, en: Share of deliveries in time }
formula: 12 个月内应报送的批次（每个报送项每个业务日期一批）中，当晚首次运行时已到达的比例。只计县。
unit: "%"
period: twelve months
feeds: []
form: records
*/
SELECT :county AS division, 100.0 * sum(timeliness) / nullif(count(*), 0) AS value,
       sum(timeliness) AS numerator, count(*) AS denominator
FROM reporting.scorecard
WHERE business_date > :from::date AND business_date <= :as_of::date
