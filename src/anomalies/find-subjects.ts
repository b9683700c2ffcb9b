import { CompiledQuery, type RawBuilder, sql, type Transaction } from 'kysely';
import type { DB } from '../schema/database.ts';
import { PopshareError } from '../schema/errors.ts';
import type { Rule } from './rule-file.ts';

/** What a rule looks at: everything, or what changed after its last evaluation. */
export type Scope = 'everything' | { readonly since: number; readonly asOf: string };

/**
 * Makes what a rule reads and writes: the temporary view `rule_mention` with the mentions to look at, and the
 * temporary table `found`. The tables end with the transaction; the view is to be dropped, or rolled back.
 *
 * @param asOf YYYY-MM-DD, the night's business date
 */
export async function prepareFinding(
  tx: Transaction<DB>,
  rule: Rule,
  scope: Scope,
  asOf: string,
): Promise<void> {
  await sql`CREATE TEMPORARY VIEW rule_mention AS ${await mentionsOf(tx, rule, scope, asOf)}`.execute(tx);
  await sql`
    CREATE TEMPORARY TABLE found (
      subject text COLLATE "C" PRIMARY KEY, feed text COLLATE "C", source_key text COLLATE "C",
      role text COLLATE "C", person_id bigint, division text COLLATE "C", evidence jsonb NOT NULL,
      suppressed_by bigint) ON COMMIT DROP`.execute(tx);
}

async function mentionsOf(
  tx: Transaction<DB>,
  rule: Rule,
  scope: Scope,
  asOf: string,
): Promise<RawBuilder<unknown>> {
  const all = sql`
    SELECT m.*, l.person_id FROM identity.mention m LEFT JOIN identity.link l USING (mention_id) WHERE m.active`;
  if (scope === 'everything') return all;
  if (rule.evaluates === 'changed mentions') return sql`${all} AND m.changed_run > ${sql.lit(scope.since)}`;
  await listPersons(tx, rule, scope, asOf);
  await sql`
    CREATE TEMPORARY TABLE other_mention ON COMMIT DROP AS
    SELECT m.*, p.person_id FROM rule_person p
    JOIN identity.link l USING (person_id) JOIN identity.mention m USING (mention_id)
    WHERE m.active`.execute(tx);
  await sql`ANALYZE other_mention`.execute(tx);
  return sql`SELECT * FROM population.touched_mention UNION ALL SELECT * FROM other_mention`;
}

/** After: temporary table `rule_person` has whom the rule looks at beside those in population.touched_mention. */
async function listPersons(
  tx: Transaction<DB>,
  { rule, wakes }: Rule,
  scope: Exclude<Scope, 'everything'>,
  asOf: string,
): Promise<void> {
  await sql`CREATE TEMPORARY TABLE rule_person (person_id bigint PRIMARY KEY) ON COMMIT DROP`.execute(tx);
  // Who has a case is always looked at, so a case that is not found has healed, whatever the reason.
  await sql`
    WITH judged AS (
      SELECT person_id FROM anomalies.anomaly WHERE rule = ${rule} AND NOT healed AND person_id IS NOT NULL
      UNION
      SELECT l.person_id FROM anomalies.anomaly a
      JOIN identity.mention m ON m.source_key = a.source_key AND m.feed = a.feed AND (a.role IS NULL OR m.role = a.role)
      JOIN identity.link l USING (mention_id)
      WHERE a.rule = ${rule} AND NOT a.healed)
    INSERT INTO rule_person
    SELECT person_id FROM population.touched_person WHERE run_id > ${scope.since}
    UNION
    SELECT person_id FROM judged
    UNION
    SELECT other.person_id FROM judged JOIN identity.link own USING (person_id)
    JOIN identity.link other ON other.id_number = own.id_number`.execute(tx);
  for (const { feed, field, days, months, years } of wakes) {
    const past = sql`make_interval(days => ${days}::integer, months => ${months}::integer, years => ${years}::integer)`;
    // A day on either side: whether a rule counts the day itself is the rule's.
    await sql`
      INSERT INTO rule_person
      SELECT l.person_id FROM ${sql.id('registry', feed)} r
      JOIN identity.mention m ON m.source_key = r.source_key AND m.feed = ${feed} AND m.active
      JOIN identity.link l USING (mention_id)
      WHERE r.${sql.id(field)} BETWEEN (${scope.asOf}::date - ${past})::date - 1 AND (${asOf}::date - ${past})::date + 1
      ON CONFLICT DO NOTHING`.execute(tx);
  }
  await sql`
    DELETE FROM rule_person p USING population.touched_mention m WHERE m.person_id = p.person_id`.execute(tx);
  await sql`ANALYZE rule_person`.execute(tx);
}

/**
 * Runs a rule's SELECT: what it returns is in `found`, each subject once. Nothing else is written, and no case
 * is locked: this is the long part.
 *
 * @param asOf YYYY-MM-DD: `:as_of` of the rule
 * @throws RULE_FAILED naming the file
 */
export async function findSubjects(tx: Transaction<DB>, rule: Rule, asOf: string): Promise<void> {
  try {
    await tx.executeQuery(
      CompiledQuery.raw(
        `INSERT INTO found SELECT r.subject, r.feed, r.source_key, r.role, r.person_id, r.division, r.evidence
         FROM (${rule.select}) r`,
        [...rule.bind(asOf)],
      ),
    );
    await sql`ANALYZE found`.execute(tx);
  } catch (error) {
    throw ruleFailure(rule, error);
  }
}

/** What the database says of a rule's SELECT, with the file's name. */
export function ruleFailure(rule: Rule, error: unknown): PopshareError {
  const reason = error instanceof Error ? error.message : String(error);
  return new PopshareError('RULE_FAILED', `${rule.file}: ${reason}`, { cause: error });
}
