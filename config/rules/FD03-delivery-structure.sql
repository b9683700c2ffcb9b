/*
rule: FD03
title: { zh: 结构变化, en: Structure changed }
severity: high
owner: source
evaluates: everything
definition: 批次缺少约定的列，或列被改名，或文件无法按约定的格式读取。批次被暂停，等待处理。多出的列只记入批次，不成疑点。
resolved_by: 报送部门按约定重报，或由操作员修改接入配置后重新读取。
*/
-- Of a date, what is held comes first: pushed rows may wait beside others that were applied.
WITH latest AS (
  SELECT DISTINCT ON (feed) * FROM ops.delivery ORDER BY feed, business_date DESC, status = 'held' DESC, sequence DESC)
SELECT d.feed || ' ' || to_char(d.business_date, 'YYYY-MM-DD') AS subject,
       d.feed, to_char(d.business_date, 'YYYYMMDD') AS source_key,
       NULL::text AS role, NULL::bigint AS person_id, NULL::text AS division,
       f.evidence || jsonb_build_object('message', f.message) AS evidence
FROM latest d JOIN ops.gate_finding f USING (delivery_id)
WHERE f.rule = 'FD03' AND f.holds AND d.status <> 'refused' AND NOT d.released
