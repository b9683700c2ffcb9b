import { type RawBuilder, sql, type Transaction } from 'kysely';
import { CONTRACTS } from '../schema/contracts/index.ts';
import type { DB } from '../schema/database.ts';
import type { RuleNight } from './detect.ts';
import type { Scope } from './find-subjects.ts';
import { changeCases, insertCases } from './queue/change-cases.ts';
import { suppressorOf } from './queue/suppression.ts';
import type { Rule } from './rule-file.ts';

const OPEN = sql`a.status IN ('new', 'assigned', 'returned')`;
const LAST_SEEN = sql`coalesce((SELECT as_of FROM anomalies.rule_state s WHERE s.rule = c.rule), c.last_seen)`;

/** The department that owns a rule's cases; `feed` is the column with the feed of the record. */
const departmentOf = ({ owner }: Rule, feed: string) =>
  owner === 'source'
    ? sql`coalesce(${JSON.stringify(DEPARTMENTS)}::jsonb ->> ${sql.ref(feed)}, 'operator')`
    : sql`${owner}::text`;

const DEPARTMENTS = Object.fromEntries(CONTRACTS.map(({ feed, department }) => [feed, department]));

/**
 * Opens the cases of subjects that have none. A case's cause is the delivery of its feed that was applied last,
 * as business date and sequence: what one delivery brings can be dealt with as one.
 */
export async function openCases(
  tx: Transaction<DB>,
  { rule, runId, asOf, dueOn }: RuleNight,
): Promise<number> {
  const { opened } = await insertCases(
    tx,
    sql`
      SELECT ${rule.rule}::text, f.subject, left(${rule.rule}::text, 2), ${rule.severity}::text,
             CASE WHEN f.suppressed_by IS NULL THEN 'new' ELSE 'dismissed' END, ${departmentOf(rule, 'f.feed')},
             f.division, f.feed, f.source_key, f.role, f.person_id, f.evidence, ${dueOn}::date,
             to_char(s.business_date, 'YYYYMMDD') || '.' || d.sequence, f.suppressed_by
      FROM found f
      LEFT JOIN ops.feed_state s ON s.feed = f.feed
      LEFT JOIN ops.delivery d ON d.delivery_id = s.delivery_id
      WHERE NOT EXISTS (SELECT FROM anomalies.anomaly a WHERE a.rule = ${rule.rule} AND a.subject = f.subject)
      ORDER BY f.subject`,
    { runId, on: asOf },
  );
  return opened;
}

/**
 * Brings known cases to what was found. A case that healed by itself reopens when its subject is found again; one
 * that a human closed reopens only on other evidence than that which the human saw. An open case found again on
 * other evidence takes the new evidence; found on the same, nothing is written. A subject that a suppression
 * covers has its case dismissed until that ends.
 *
 * @returns how many cases reopened
 */
export async function renewCases(
  tx: Transaction<DB>,
  { rule, runId, asOf, dueOn }: RuleNight,
): Promise<number> {
  const closed = sql`c.status IN ('resolved', 'dismissed') AND c.suppressed_by IS NULL`;
  // Closed by a human on this evidence: it stays as it is, also under a suppression.
  const settled = sql`(${closed} AND NOT c.healed AND c.evidence = c.found_evidence)`;
  const reopens = sql`(NOT ${settled} AND c.found_suppressed_by IS NULL AND c.status IN ('resolved', 'dismissed'))`;
  const hides = sql`(NOT ${settled} AND c.found_suppressed_by IS NOT NULL)`;
  const { reopened } = await changeCases(tx, {
    chosen: sql`
      SELECT a.*, f.evidence AS found_evidence, f.person_id AS found_person, f.division AS found_division,
             f.suppressed_by AS found_suppressed_by
      FROM found f JOIN anomalies.anomaly a ON a.rule = ${rule.rule} AND a.subject = f.subject
      WHERE a.healed OR a.evidence <> f.evidence OR a.person_id IS DISTINCT FROM f.person_id
         OR a.division IS DISTINCT FROM f.division
         OR (a.suppressed_by IS DISTINCT FROM f.suppressed_by AND (${OPEN} OR a.suppressed_by IS NOT NULL))
      ORDER BY a.anomaly_id FOR UPDATE OF a`,
    set: {
      status: sql`CASE WHEN ${reopens} THEN 'new' WHEN ${hides} THEN 'dismissed' ELSE c.status END`,
      suppressed_by: sql`CASE WHEN ${settled} THEN NULL ELSE c.found_suppressed_by END`,
      owner: sql`CASE WHEN ${reopens} THEN NULL ELSE c.owner END`,
      returned_to: sql`CASE WHEN ${hides} THEN NULL ELSE c.returned_to END`,
      due_on: sql`CASE WHEN ${reopens} THEN ${dueOn}::date ELSE c.due_on END`,
      opened_on: sql`CASE WHEN ${reopens} THEN ${asOf}::date ELSE c.opened_on END`,
      evidence: sql`c.found_evidence`,
      person_id: sql`c.found_person`,
      division: sql`c.found_division`,
      healed: sql`false`,
    },
    event: {
      kind: sql`CASE WHEN ${reopens} THEN 'reopened' WHEN ${hides} AND c.suppressed_by IS NULL THEN 'suppressed' ELSE 'evidence' END`,
      runId,
      on: asOf,
      evidence: sql`n.evidence`,
    },
  });
  return reopened;
}

/**
 * Closes the cases that were evaluated and not found: the data have healed. Those that a suppression hides heal
 * too, so that its end does not bring back what is mended.
 *
 * @param scope a rule that did not look at everything evaluated the cases of what it looked at alone
 */
export async function closeHealed(
  tx: Transaction<DB>,
  { rule, runId, asOf }: RuleNight,
  scope: Scope,
): Promise<number> {
  const { changed } = await changeCases(tx, {
    chosen: sql`
      SELECT a.* FROM anomalies.anomaly a
      WHERE a.rule = ${rule.rule} AND (${OPEN} OR a.suppressed_by IS NOT NULL) ${evaluatedCases(rule, scope)}
        AND NOT EXISTS (SELECT FROM found f WHERE f.subject = a.subject)
      ORDER BY a.anomaly_id FOR UPDATE OF a`,
    set: {
      status: sql`'resolved'`,
      healed: sql`true`,
      suppressed_by: sql`NULL`,
      returned_to: sql`NULL`,
      last_seen: LAST_SEEN,
    },
    event: { kind: sql`'healed'`, runId, on: asOf },
  });
  return changed;
}

/** Which cases of a rule it has evaluated, as a condition on `a`. */
function evaluatedCases(rule: Rule, scope: Scope): RawBuilder<unknown> {
  if (scope === 'everything') return sql``;
  if (rule.evaluates === 'changed mentions') {
    return sql`
      AND (a.feed, a.source_key, a.role) IN (
        SELECT m.feed, m.source_key, m.role FROM identity.mention m WHERE m.changed_run > ${scope.since})`;
  }
  // Without wakes the rule has looked at every case that stands.
  if (rule.wakes === null) return sql``;
  const evaluated = sql`SELECT person_id FROM rule_person`;
  // Without a person: whose record it is, or, without a role, any person of the record, which the rule looks at as a
  // whole. Of one record after another: the planner would turn EXISTS into a join of all mentions.
  return sql`
    AND CASE WHEN a.person_id IS NOT NULL THEN a.person_id IN (${evaluated})
        ELSE (
          SELECT bool_or(l.person_id IN (${evaluated})) FROM identity.mention m JOIN identity.link l USING (mention_id)
          WHERE m.source_key = a.source_key AND m.feed = a.feed AND (a.role IS NULL OR m.role = a.role)) END`;
}

/**
 * Brings back the cases whose suppression has ended, unless another one covers them.
 *
 * @returns how many cases reopened
 */
export async function endSuppressions(
  tx: Transaction<DB>,
  { rule, runId, asOf, dueOn }: RuleNight,
): Promise<number> {
  const { reopened } = await changeCases(tx, {
    chosen: sql`
      SELECT a.*, ${suppressorOf(sql`a`, rule.rule, asOf)} AS other FROM anomalies.anomaly a
      WHERE a.rule = ${rule.rule} AND a.suppressed_by IS NOT NULL
        AND NOT EXISTS (SELECT FROM anomalies.suppression s WHERE s.suppression_id = a.suppressed_by
                          AND s.lifted_at IS NULL AND s.until >= ${asOf}::date)
      ORDER BY a.anomaly_id FOR UPDATE OF a`,
    set: {
      suppressed_by: sql`c.other`,
      status: sql`CASE WHEN c.other IS NULL THEN 'new' ELSE c.status END`,
      owner: sql`NULL`,
      due_on: sql`CASE WHEN c.other IS NULL THEN ${dueOn}::date ELSE c.due_on END`,
      opened_on: sql`CASE WHEN c.other IS NULL THEN ${asOf}::date ELSE c.opened_on END`,
    },
    event: {
      kind: sql`CASE WHEN c.other IS NULL THEN 'reopened' ELSE 'suppressed' END`,
      runId,
      on: asOf,
      reason: sql`'suppression_ended'`,
    },
  });
  return reopened;
}

/** After a change of the rule's file, its standing cases take its severity, its owner, and what these mean. */
export async function alignCases(
  tx: Transaction<DB>,
  { rule, runId, asOf, dueOn }: RuleNight,
): Promise<void> {
  await changeCases(tx, {
    chosen: sql`
      SELECT a.*, ${departmentOf(rule, 'a.feed')} AS rule_department FROM anomalies.anomaly a
      WHERE a.rule = ${rule.rule}
        AND (a.severity <> ${rule.severity} OR a.department <> ${departmentOf(rule, 'a.feed')})
      ORDER BY a.anomaly_id FOR UPDATE OF a`,
    set: {
      severity: sql`${rule.severity}`,
      department: sql`c.rule_department`,
      due_on: sql`CASE WHEN c.severity = ${rule.severity} THEN c.due_on ELSE ${dueOn}::date END`,
      // What is not queued is nobody's.
      ...(rule.severity === 'info'
        ? {
            status: sql`CASE WHEN c.status IN ('assigned', 'returned') THEN 'new' ELSE c.status END`,
            owner: sql`NULL`,
            returned_to: sql`NULL`,
          }
        : {}),
    },
    event: { kind: sql`'evidence'`, runId, on: asOf, reason: sql`'rule_changed'` },
  });
}

/** What a rule is: its file, and the reference tables that it may read. */
export const digestOf = ({ digest }: Rule): RawBuilder<string> => sql`(
  SELECT ${digest}::text || coalesce(' ' || string_agg(version, ' ' ORDER BY name), '') FROM reference.loaded)`;

/** Remembers how far the rule has come, and that its open cases were seen on this date. */
export async function recordState(
  tx: Transaction<DB>,
  { rule, runId, asOf }: RuleNight,
  milliseconds: number,
): Promise<void> {
  await sql`
    INSERT INTO anomalies.rule_state (rule, digest, detected_run, as_of, milliseconds)
    VALUES (${rule.rule}, ${digestOf(rule)}, ${runId}, ${asOf}, ${milliseconds})
    ON CONFLICT (rule) DO UPDATE SET digest = excluded.digest, detected_run = excluded.detected_run,
      as_of = excluded.as_of, milliseconds = excluded.milliseconds`.execute(tx);
}
