/*
indicator: Q06
title: { zh: 疑点按时办结率, en: Share of cases closed in time }
formula: 12 个月内办结或自动消除的疑点中，在期限内者所占比例（只计入队列的疑点，取最后一次关闭）。按疑点所属区划，没有区划的只计入县。
unit: "%"
period: twelve months
feeds: []
form: records
*/
WITH closed AS (
  SELECT DISTINCT ON (a.anomaly_id) a.anomaly_id, a.division, e.on_date <= a.due_on AS in_time
  FROM anomalies.anomaly_event e JOIN anomalies.anomaly a USING (anomaly_id)
  WHERE e.to_status IN ('resolved', 'dismissed') AND e.kind IN ('healed', 'resolved', 'dismissed')
    AND e.on_date > :from::date AND e.on_date <= :as_of::date
    AND a.status IN ('resolved', 'dismissed') AND a.due_on IS NOT NULL AND a.suppressed_by IS NULL
  ORDER BY a.anomaly_id, e.event_id DESC),
counted AS (
  SELECT p.division, count(*) FILTER (WHERE c.in_time) AS found, count(*) AS cases
  FROM closed c JOIN place p ON p.leaf = CASE WHEN left(c.division, 6) = left(:county, 6) THEN c.division ELSE :county END
  GROUP BY p.division)
SELECT division, 100.0 * found / cases AS value, found AS numerator, cases AS denominator FROM counted
