/*
rule: FD04
title: { zh: 重复报送, en: Same bytes as an earlier delivery }
severity: medium
owner: source
evaluates: everything
definition: 批次与该报送项以前的某一批次字节完全相同，按无变化接收。
resolved_by: 报送部门核对导出程序；下一批次到达后疑点自动关闭。
*/
WITH latest AS (
  SELECT DISTINCT ON (feed) * FROM ops.delivery ORDER BY feed, business_date DESC, sequence DESC)
SELECT d.feed || ' ' || to_char(d.business_date, 'YYYY-MM-DD') AS subject,
       d.feed, to_char(d.business_date, 'YYYYMMDD') AS source_key,
       NULL::text AS role, NULL::bigint AS person_id, NULL::text AS division,
       f.evidence || jsonb_build_object('message', f.message) AS evidence
FROM latest d JOIN ops.gate_finding f USING (delivery_id)
WHERE f.rule = 'FD04' AND d.status <> 'refused' AND NOT d.released
