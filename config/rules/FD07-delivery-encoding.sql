/*
rule: FD07
title: { zh: 编码错误, en: Bytes that are not text }
severity: medium
owner: source
evaluates: everything
definition: 批次中有不符合约定编码的字节，这些行被退回；超过 1% 时批次被暂停。
resolved_by: 报送部门按约定编码重报退回的行。
*/
-- Of a date, what is held comes first: pushed rows may wait beside others that were applied.
WITH latest AS (
  SELECT DISTINCT ON (feed) * FROM ops.delivery ORDER BY feed, business_date DESC, status = 'held' DESC, sequence DESC)
SELECT d.feed || ' ' || to_char(d.business_date, 'YYYY-MM-DD') AS subject,
       d.feed, to_char(d.business_date, 'YYYYMMDD') AS source_key,
       NULL::text AS role, NULL::bigint AS person_id, NULL::text AS division,
       f.evidence || jsonb_build_object('message', f.message) AS evidence
FROM latest d JOIN ops.gate_finding f USING (delivery_id)
WHERE f.rule = 'FD07' AND d.status <> 'refused' AND NOT d.released
