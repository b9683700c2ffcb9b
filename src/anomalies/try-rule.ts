import { sql, type Transaction } from 'kysely';
import pg from 'pg';
import { z } from 'zod';
import type { DB } from '../schema/database.ts';
import { PopshareError } from '../schema/errors.ts';
import type { Warehouse } from '../schema/warehouse/connect.ts';
import { findSubjects, prepareFinding, runSelect } from './find-subjects.ts';
import type { Rule } from './rule-file.ts';

/** What a rule would do with the data as they stand. */
export interface RuleTrial {
  readonly rule: string;
  /** YYYY-MM-DD */
  readonly as_of: string;
  readonly found: number;
  readonly milliseconds: number;
  /** The whole estimate of the plan of its SELECT, in the planner's units. */
  readonly plan_cost: number;
  readonly plan_rows: number;
  readonly examples: readonly TrialExample[];
  /** How it differs from the cases that stand under its code. */
  readonly difference: {
    /** Subjects that have no case. */
    readonly opened: number;
    /** Closed cases that it finds again, on other evidence or after they healed. */
    readonly reopened: number;
    /** Open cases with other evidence. */
    readonly changed: number;
    /** Open cases that it finds as they are. */
    readonly same: number;
    /** Open cases that it does not find. */
    readonly closed: number;
    /** Subjects that a human closed on this evidence: they stay closed. */
    readonly settled: number;
  };
}

const examplesSchema = z.array(
  z.object({
    subject: z.string(),
    feed: z.string().nullable(),
    source_key: z.string().nullable(),
    division: z.string().nullable(),
    evidence: z.unknown(),
  }),
);
type TrialExample = z.output<typeof examplesSchema>[number];

const EXAMPLES = 5;
/** All rules together take half of it over a million persons. */
const MOST_SECONDS = 120;

/**
 * Tries a rule on all data as they stand: nothing is kept, no case is touched or locked, and a rule that tries to
 * write, or takes too long, fails.
 *
 * @param asOf YYYY-MM-DD: `:as_of` of the rule
 * @param seconds after which it is stopped
 * @throws RULE_FAILED naming the file
 */
export async function tryRule(
  warehouse: Warehouse,
  rule: Rule,
  asOf: string,
  seconds = MOST_SECONDS,
): Promise<RuleTrial> {
  const trial = await warehouse.db.startTransaction().execute();
  try {
    await prepareFinding(trial, rule, 'everything', asOf);
    // Temporary tables must be made before, and may be written to still.
    await sql`SET TRANSACTION READ ONLY`.execute(trial);
    await sql`SET LOCAL statement_timeout = ${sql.lit(`${seconds}s`)}`.execute(trial);
    const { cost, rows } = await planOf(trial, rule, asOf);
    const started = performance.now();
    await findSubjects(trial, rule, asOf);
    const milliseconds = Math.round(performance.now() - started);
    const { found, difference } = await compare(trial, rule);
    const examples = await examplesOf(trial);
    return {
      rule: rule.rule,
      as_of: asOf,
      found,
      milliseconds,
      plan_cost: cost,
      plan_rows: rows,
      examples,
      difference,
    };
  } catch (error) {
    if (!isTimeOut(error)) throw error;
    throw new PopshareError('RULE_FAILED', `${rule.file}: it ran longer than ${seconds} s, and was stopped`);
  } finally {
    await trial.rollback().execute();
  }
}

function isTimeOut(error: unknown): boolean {
  const cause = error instanceof PopshareError ? error.cause : error;
  return cause instanceof pg.DatabaseError && cause.code === '57014';
}

/** What the planner expects of the rule's SELECT. */
async function planOf(
  tx: Transaction<DB>,
  rule: Rule,
  asOf: string,
): Promise<{ cost: number; rows: number }> {
  const rows = await runSelect<{
    'QUERY PLAN': readonly { Plan: { 'Total Cost': number; 'Plan Rows': number } }[];
  }>(tx, rule, asOf, ['EXPLAIN (FORMAT json) ', '']);
  const plan = rows[0]?.['QUERY PLAN'][0]?.Plan;
  return { cost: plan?.['Total Cost'] ?? 0, rows: plan?.['Plan Rows'] ?? 0 };
}

async function compare(
  tx: Transaction<DB>,
  { rule }: Rule,
): Promise<{ found: number; difference: RuleTrial['difference'] }> {
  const { rows } = await sql<{ found: number; difference: RuleTrial['difference'] }>`
    WITH pair AS (
      SELECT f.subject AS found_subject, a.subject AS case_subject,
             a.status IN ('new', 'assigned', 'returned') AS open, a.healed OR a.evidence <> f.evidence AS differs
      FROM found f FULL JOIN (SELECT * FROM anomalies.anomaly WHERE rule = ${rule}) a USING (subject))
    SELECT count(found_subject) AS found, jsonb_build_object(
      'opened', count(*) FILTER (WHERE case_subject IS NULL),
      'reopened', count(*) FILTER (WHERE NOT open AND differs),
      'changed', count(*) FILTER (WHERE open AND differs),
      'same', count(*) FILTER (WHERE open AND NOT differs),
      'closed', count(*) FILTER (WHERE open AND found_subject IS NULL),
      'settled', count(*) FILTER (WHERE NOT open AND NOT differs)) AS difference
    FROM pair`.execute(tx);
  const compared = rows[0];
  if (compared === undefined) throw new Error('the comparison has no row');
  return compared;
}

/** The first by subject. What looks like a document or telephone number is masked, should the rule not do so. */
async function examplesOf(tx: Transaction<DB>): Promise<TrialExample[]> {
  const { rows } = await sql`
    SELECT subject, feed, source_key, division, evidence FROM found ORDER BY subject LIMIT ${EXAMPLES}`.execute(
    tx,
  );
  const masked = JSON.stringify(rows).replace(
    /(?<!\d)(?:\d{17}[\dXx]|\d{15}|1\d{10})(?!\d)/g,
    (number) => number.slice(0, 3) + '*'.repeat(number.length - 6) + number.slice(-3),
  );
  return examplesSchema.parse(JSON.parse(masked));
}
