/*
rule: FD06
title: { zh: 关联率下降, en: Share of linked mentions fell }
severity: high
owner: operator
evaluates: everything
parameters: { points: 5, runs: 7 }
definition: 报送项中能与人员关联的人员引用所占比例，比此前最近 7 次运行的中位数低 5 个百分点以上（含）。只计该报送项的人员引用有变化的运行，不足 7 次的按已有次数计。单独成人和姓名冲突的引用不算已关联。
resolved_by: 操作员核对该批次的证件号码、姓名、出生日期各列，与报送部门确认；关联率恢复后疑点自动关闭。
*/
WITH history AS (
  SELECT s.*, 100.0 * s.linked / nullif(s.mentions, 0) AS share,
         row_number() OVER (PARTITION BY s.feed ORDER BY s.run_id DESC) - 1 AS runs_ago
  FROM ops.feed_link_share s),
usual AS (
  SELECT feed, count(*) AS runs,
         round(percentile_cont(0.5) WITHIN GROUP (ORDER BY share)::numeric, 6) AS share
  FROM history WHERE runs_ago BETWEEN 1 AND :runs::integer AND mentions > 0 GROUP BY feed)
SELECT h.feed || ' ' || to_char(h.business_date, 'YYYY-MM-DD') AS subject,
       h.feed, to_char(h.business_date, 'YYYYMMDD') AS source_key,
       NULL::text AS role, NULL::bigint AS person_id, NULL::text AS division,
       jsonb_build_object(
         'share', round(h.share, 2), 'median', round(u.share, 2), 'runs', u.runs,
         'mentions', h.mentions, 'linked', h.linked) AS evidence
FROM history h JOIN usual u USING (feed)
WHERE h.runs_ago = 0 AND round(h.share, 6) <= u.share - :points::numeric
