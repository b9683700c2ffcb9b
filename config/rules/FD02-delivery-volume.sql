/*
rule: FD02
title: { zh: 数量异常, en: Unusual number of rows }
severity: high
owner: source
evaluates: everything
definition: 全量批次的行数比上次接收的少 20% 以上或多 50% 以上，或没有任何行。批次被暂停，等待处理。
resolved_by: 报送部门重报，或由操作员核实后放行、拒收。
*/
WITH latest AS (
  SELECT DISTINCT ON (feed) * FROM ops.delivery ORDER BY feed, business_date DESC, sequence DESC)
SELECT d.feed || ' ' || to_char(d.business_date, 'YYYY-MM-DD') AS subject,
       d.feed, to_char(d.business_date, 'YYYYMMDD') AS source_key,
       NULL::text AS role, NULL::bigint AS person_id, NULL::text AS division,
       f.evidence || jsonb_build_object('message', f.message) AS evidence
FROM latest d JOIN ops.gate_finding f USING (delivery_id)
WHERE f.rule = 'FD02' AND d.status <> 'refused' AND NOT d.released
