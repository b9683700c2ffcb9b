import type { PoolClient } from 'pg';
import type { Detection } from './detect.ts';
import type { Rule } from './rule-file.ts';

const OPEN = `status NOT IN ('resolved', 'dismissed')`;

/**
 * Opens and reopens the cases of what was found. A case that healed by itself reopens when its subject is found
 * again; one that a human closed reopens only on other evidence than that which the human saw. An open case
 * found again on other evidence takes the new evidence; found on the same, nothing is written.
 */
export async function openCases(
  client: PoolClient,
  detection: Detection,
  rule: Rule,
  departmentOfFeed: Record<string, string>,
): Promise<{ opened: number; reopened: number }> {
  const opened = await client.query(
    `INSERT INTO anomalies.anomaly (rule, subject, family, severity, status, department, division, feed, source_key,
                                    role, person_id, first_seen, last_seen, evidence, seen_run)
     SELECT $1, f.subject, left($1, 2), $2, 'new',
            CASE WHEN $3 = 'source' THEN coalesce($4::jsonb ->> f.feed, 'operator') ELSE $3 END,
            f.division, f.feed, f.source_key, f.role, f.person_id, $5::date, $5::date, f.evidence, $6
     FROM found f
     WHERE NOT EXISTS (SELECT FROM anomalies.anomaly a WHERE a.rule = $1 AND a.subject = f.subject)`,
    [rule.rule, rule.severity, rule.owner, JSON.stringify(departmentOfFeed), detection.asOf, detection.runId],
  );
  await client.query(
    `INSERT INTO anomalies.anomaly_event (anomaly_id, kind, run_id, on_date, evidence)
     SELECT a.anomaly_id, 'opened', $2, $3, a.evidence
     FROM found f JOIN anomalies.anomaly a ON a.rule = $1 AND a.subject = f.subject
     WHERE a.seen_run = $2 AND NOT EXISTS (SELECT FROM anomalies.anomaly_event e WHERE e.anomaly_id = a.anomaly_id)`,
    [rule.rule, detection.runId, detection.asOf],
  );
  const again = await client.query<{ reopened: number }>(
    `WITH again AS (
       SELECT a.anomaly_id, a.status IN ('resolved', 'dismissed') AS was_closed, f.*
       FROM found f JOIN anomalies.anomaly a ON a.rule = $1 AND a.subject = f.subject
       WHERE a.healed OR a.evidence <> f.evidence OR (a.person_id IS DISTINCT FROM f.person_id)),
     updated AS (
       UPDATE anomalies.anomaly a SET
         status = CASE WHEN again.was_closed AND (a.healed OR a.evidence <> again.evidence) THEN 'new' ELSE a.status END,
         evidence = again.evidence, person_id = again.person_id, division = again.division,
         healed = false, seen_run = $2
       FROM again WHERE a.anomaly_id = again.anomaly_id
       RETURNING a.anomaly_id, again.was_closed AND a.status = 'new' AS reopened, a.evidence),
     told AS (
       INSERT INTO anomalies.anomaly_event (anomaly_id, kind, run_id, on_date, evidence)
       SELECT anomaly_id, CASE WHEN reopened THEN 'reopened' ELSE 'evidence' END, $2, $3, evidence FROM updated)
     SELECT count(*) FILTER (WHERE reopened) AS reopened FROM updated`,
    [rule.rule, detection.runId, detection.asOf],
  );
  return { opened: opened.rowCount ?? 0, reopened: again.rows[0]?.reopened ?? 0 };
}

/**
 * Closes the open cases that were evaluated and not found: the data have healed.
 *
 * @param since null when the rule looked at everything; otherwise only cases of mentions changed after that run
 *   were evaluated
 */
export async function closeHealed(
  client: PoolClient,
  detection: Detection,
  rule: Rule,
  since: number | null,
): Promise<number> {
  const evaluated =
    since === null
      ? ''
      : `AND EXISTS (SELECT FROM identity.mention m
           WHERE m.feed = a.feed AND m.source_key = a.source_key AND m.role = a.role AND m.changed_run > ${Number(since)})`;
  const closed = await client.query(
    `WITH healed AS (
       UPDATE anomalies.anomaly a SET status = 'resolved', healed = true, seen_run = $2,
              last_seen = coalesce((SELECT as_of FROM anomalies.rule_state s WHERE s.rule = a.rule), a.last_seen)
       WHERE a.rule = $1 AND ${OPEN} ${evaluated}
         AND NOT EXISTS (SELECT FROM found f WHERE f.subject = a.subject)
       RETURNING a.anomaly_id)
     INSERT INTO anomalies.anomaly_event (anomaly_id, kind, run_id, on_date)
     SELECT anomaly_id, 'healed', $2, $3 FROM healed`,
    [rule.rule, detection.runId, detection.asOf],
  );
  return closed.rowCount ?? 0;
}

/** Remembers how far the rule has come, and that its open cases were seen on this date. */
export async function recordState(
  client: PoolClient,
  detection: Detection,
  rule: Rule,
  milliseconds: number,
): Promise<void> {
  await client.query(
    `INSERT INTO anomalies.rule_state (rule, digest, detected_run, as_of, milliseconds) VALUES ($1, $2, $3, $4, $5)
     ON CONFLICT (rule) DO UPDATE SET digest = excluded.digest, detected_run = excluded.detected_run,
       as_of = excluded.as_of, milliseconds = excluded.milliseconds`,
    [rule.rule, rule.digest, detection.runId, detection.asOf, milliseconds],
  );
}
