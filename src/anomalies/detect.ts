import type { PoolClient } from 'pg';
import { CONTRACTS } from '../schema/contracts/index.ts';
import { PopshareError } from '../schema/errors.ts';
import type { RunId } from '../schema/ids.ts';
import type { Warehouse } from '../schema/warehouse/connect.ts';
import { closeHealed, openCases, recordState } from './cases.ts';
import type { Rule } from './rule-file.ts';

/** What a night did to the cases of one rule. */
export interface RuleSummary {
  readonly opened: number;
  readonly reopened: number;
  readonly closed: number;
  readonly open: number;
}

/** Who runs the rules, and for which night. */
export interface Detection {
  readonly warehouse: Warehouse;
  readonly runId: RunId;
  /** YYYY-MM-DD: the night's business date, `:as_of` in a rule. */
  readonly asOf: string;
}

/**
 * Runs one rule and brings its cases to what it found, in one transaction.
 *
 * Before: any state. After: each subject that the rule's SELECT returns has one open case (unless a human closed
 * it on the same evidence), and no other subject within what was evaluated has one.
 *
 * @throws RULE_FAILED naming the file; STALE_WORKER
 */
export async function detect(detection: Detection, rule: Rule): Promise<RuleSummary> {
  const started = performance.now();
  const client = await detection.warehouse.pool.connect();
  try {
    await client.query('BEGIN');
    await assertCurrent(client, detection.runId);
    const since = await evaluatedSince(client, rule);
    await findSubjects(client, rule, detection.asOf, since);
    const opened = await openCases(client, detection, rule, departmentOfFeed());
    const closed = await closeHealed(client, detection, rule, since);
    await recordState(client, detection, rule, Math.round(performance.now() - started));
    const open = await client.query<{ open: number }>(
      `SELECT count(*) AS open FROM anomalies.anomaly WHERE rule = $1 AND status NOT IN ('resolved', 'dismissed')`,
      [rule.rule],
    );
    await client.query('COMMIT');
    return { ...opened, closed, open: open.rows[0]?.open ?? 0 };
  } catch (error) {
    await client.query('ROLLBACK');
    throw error;
  } finally {
    client.release();
  }
}

async function assertCurrent(client: PoolClient, runId: RunId): Promise<void> {
  const { rows } = await client.query<{ run_id: number }>('SELECT run_id FROM ops.fence FOR SHARE');
  if (rows[0]?.run_id !== runId) throw new PopshareError('STALE_WORKER', `run ${runId} has been overtaken`);
}

/**
 * The run after which mentions count as changed for this rule: null when all must be looked at, because the
 * rule looks at everything, is new, or has changed.
 */
async function evaluatedSince(client: PoolClient, rule: Rule): Promise<number | null> {
  if (rule.evaluates === 'everything') return null;
  const { rows } = await client.query<{ detected_run: number }>(
    'SELECT detected_run FROM anomalies.rule_state WHERE rule = $1 AND digest = $2',
    [rule.rule, rule.digest],
  );
  return rows[0]?.detected_run ?? null;
}

/** After: temporary table `found` holds what the rule's SELECT returned, each subject once. */
async function findSubjects(
  client: PoolClient,
  rule: Rule,
  asOf: string,
  since: number | null,
): Promise<void> {
  const changed = since === null ? '' : `AND m.changed_run > ${Number(since)}`;
  await client.query(
    `CREATE TEMPORARY VIEW rule_mention AS
     SELECT m.*, l.person_id FROM identity.mention m LEFT JOIN identity.link l USING (mention_id)
     WHERE m.active ${changed}`,
  );
  try {
    await client.query(
      `CREATE TEMPORARY TABLE found (
         subject text COLLATE "C" PRIMARY KEY, feed text, source_key text, role text, person_id bigint,
         division text, evidence jsonb NOT NULL) ON COMMIT DROP`,
    );
    await client.query(
      `INSERT INTO found SELECT r.subject, r.feed, r.source_key, r.role, r.person_id, r.division, r.evidence
       FROM (${rule.select}) r`,
      [...rule.bind(asOf)],
    );
    await client.query('ANALYZE found');
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new PopshareError('RULE_FAILED', `${rule.file}: ${reason}`, { cause: error });
  } finally {
    // A temporary view lives as long as the session; after a failure the rollback takes it.
    await client.query('DROP VIEW IF EXISTS rule_mention').catch(() => {});
  }
}

function departmentOfFeed(): Record<string, string> {
  return Object.fromEntries(CONTRACTS.map(({ feed, department }) => [feed, department]));
}
