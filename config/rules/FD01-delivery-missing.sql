/*
rule: FD01
title: { zh: 未按时报送, en: Delivery did not arrive in time }
severity: high
owner: source
evaluates: everything
definition: 到截止时间没有可读取的报送文件。
resolved_by: 报送部门补报；下一批次到达后疑点自动关闭。
*/
WITH latest AS (
  SELECT DISTINCT ON (feed) * FROM ops.delivery ORDER BY feed, business_date DESC, sequence DESC)
SELECT d.feed || ' ' || to_char(d.business_date, 'YYYY-MM-DD') AS subject,
       d.feed, to_char(d.business_date, 'YYYYMMDD') AS source_key,
       NULL::text AS role, NULL::bigint AS person_id, NULL::text AS division,
       jsonb_build_object('message', d.reason) AS evidence
FROM latest d
WHERE d.status = 'missing'
