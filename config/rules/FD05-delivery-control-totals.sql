/*
rule: FD05
title: { zh: 控制数不符, en: Control totals differ }
severity: high
owner: source
evaluates: everything
definition: 行数或 sha256 与控制文件不符。批次被暂停，等待处理。
resolved_by: 报送部门重报，或由操作员核实后放行、拒收。
*/
-- Of a date, what is held comes first: pushed rows may wait beside others that were applied.
WITH latest AS (
  SELECT DISTINCT ON (feed) * FROM ops.delivery ORDER BY feed, business_date DESC, status = 'held' DESC, sequence DESC)
SELECT d.feed || ' ' || to_char(d.business_date, 'YYYY-MM-DD') AS subject,
       d.feed, to_char(d.business_date, 'YYYYMMDD') AS source_key,
       NULL::text AS role, NULL::bigint AS person_id, NULL::text AS division,
       f.evidence || jsonb_build_object('message', f.message) AS evidence
FROM latest d JOIN ops.gate_finding f USING (delivery_id)
WHERE f.rule = 'FD05' AND d.status <> 'refused' AND NOT d.released
