import { sql, type Transaction } from 'kysely';
import { asCurrentRun } from '../ingest/current-run.ts';
import type { DB } from '../schema/database.ts';
import type { RunId } from '../schema/ids.ts';
import type { Warehouse } from '../schema/warehouse/connect.ts';
import {
  alignCases,
  closeHealed,
  digestOf,
  endSuppressions,
  openCases,
  recordState,
  renewCases,
} from './cases.ts';
import { endFinding, findSubjects, prepareFinding, type Scope } from './find-subjects.ts';
import type { DueDates } from './queue/due-dates.ts';
import { beginNight } from './queue/night.ts';
import { suppressFound } from './queue/suppression.ts';
import { enterMoves } from './queue/tallies.ts';
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
  readonly dueDates: DueDates;
}

/** A rule on its night, with what its cases need. */
export interface RuleNight {
  readonly rule: Rule;
  readonly runId: RunId;
  readonly asOf: string;
  /** YYYY-MM-DD: what opens this night is due then; null for `info`. */
  readonly dueOn: string | null;
}

/**
 * Runs one rule and brings its cases to what it found, in one transaction. Officers may work meanwhile: cases are
 * locked only after the rule's SELECT has ended, and what officers did until then is what counts.
 *
 * Before: any state. After: each subject that the rule's SELECT returns has one open case (unless a human closed
 * it on the same evidence, or a suppression is in force), and no other subject within what was evaluated has one.
 *
 * @throws RULE_FAILED naming the file; STALE_WORKER
 */
export async function detect(detection: Detection, rule: Rule): Promise<RuleSummary> {
  const { warehouse, runId, asOf, dueDates } = detection;
  const started = performance.now();
  await beginNight(warehouse, runId);
  const summary = await asCurrentRun(detection, async (tx) => {
    const known = await stateOf(tx, rule);
    const scope = await scopeOf(tx, runId, asOf, rule, known);
    await prepareFinding(tx, rule, scope, asOf);
    await findSubjects(tx, rule, asOf);
    await suppressFound(tx, rule.rule, asOf);

    const night: RuleNight = { rule, runId, asOf, dueOn: dueDates.dueOn(rule.severity, asOf) };
    if (!known?.sameRule) await alignCases(tx, night);
    const closed = await closeHealed(tx, night, scope);
    const returning = await endSuppressions(tx, night);
    const reopened = await renewCases(tx, night);
    const opened = await openCases(tx, night);
    await endFinding(tx);
    await recordState(tx, night, Math.round(performance.now() - started));
    return { opened, reopened: reopened + returning, closed, open: await openCount(tx, rule) };
  });
  await enterMoves(warehouse);
  return summary;
}

interface Known {
  readonly sameRule: boolean;
  readonly detectedRun: number;
  /** YYYY-MM-DD */
  readonly asOf: string;
}

/**
 * What the rule's last evaluation left: another digest, of its file and of the reference tables, means another rule,
 * which starts afresh.
 */
async function stateOf(tx: Transaction<DB>, rule: Rule): Promise<Known | undefined> {
  const { rows } = await sql<Known>`
    SELECT digest = ${digestOf(rule)} AS "sameRule", detected_run AS "detectedRun", as_of::text AS "asOf"
    FROM anomalies.rule_state WHERE rule = ${rule.rule}`.execute(tx);
  return rows[0];
}

/**
 * A rule of changed persons looks at everybody when the dates go back, and when a run since, or this one, did not
 * list whom it touched.
 */
async function scopeOf(
  tx: Transaction<DB>,
  runId: RunId,
  asOf: string,
  { evaluates }: Rule,
  known: Known | undefined,
): Promise<Scope> {
  if (!known?.sameRule || evaluates === 'everything') return 'everything';
  const scope = { since: known.detectedRun, asOf: known.asOf, run: runId };
  if (evaluates === 'changed mentions') return scope;
  const { rows } = await sql<{ listed: boolean }>`
    SELECT coalesce(bool_and(NOT everybody) AND bool_or(run_id = ${runId}), false) AS listed
    FROM population.touched_night WHERE run_id > ${known.detectedRun}`.execute(tx);
  return rows[0]?.listed === true && known.asOf <= asOf ? scope : 'everything';
}

async function openCount(tx: Transaction<DB>, rule: Rule): Promise<number> {
  const { rows } = await sql<{ open: number }>`
    SELECT coalesce(sum(cases), 0)::bigint AS open FROM anomalies.tally
    WHERE rule = ${rule.rule} AND status NOT IN ('resolved', 'dismissed')`.execute(tx);
  return rows[0]?.open ?? 0;
}
