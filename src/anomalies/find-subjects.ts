import { CompiledQuery, type RawBuilder, sql, type Transaction } from 'kysely';
import pg from 'pg';
import { comparedPersons, gatherValues, personsBeside } from '../population/compared.ts';
import type { DB } from '../schema/database.ts';
import { PopshareError } from '../schema/errors.ts';
import type { Rule, Wake } from './rule-file.ts';

/** What a rule looks at: everything, or what changed after its last evaluation. */
export type Scope =
  | 'everything'
  | {
      /** The run and the date (YYYY-MM-DD) of the last evaluation. */
      readonly since: number;
      readonly asOf: string;
      /** The run of this one. */
      readonly run: number;
    };

/**
 * Makes what a rule reads and writes: the temporary views `rule_mention` and `rule_person` with the mentions and the
 * persons to look at, and the temporary table `found`. The tables end with the transaction; the views are to be taken
 * away by {@link endFinding}, or rolled back.
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
  await sql`CREATE TEMPORARY VIEW rule_person AS ${personsOf(rule, scope)}`.execute(tx);
  await sql`
    CREATE TEMPORARY TABLE found (
      subject text COLLATE "C" PRIMARY KEY, feed text COLLATE "C", source_key text COLLATE "C",
      role text COLLATE "C", person_id bigint, division text COLLATE "C", evidence jsonb NOT NULL,
      suppressed_by bigint) ON COMMIT DROP`.execute(tx);
}

/** Takes away the views of {@link prepareFinding}. */
export async function endFinding(tx: Transaction<DB>): Promise<void> {
  await sql`DROP VIEW rule_mention, rule_person`.execute(tx);
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
  const touched = withRelated(rule)
    ? sql`SELECT * FROM population.touched_mention UNION ALL SELECT * FROM population.related_mention`
    : sql`SELECT * FROM population.touched_mention`;
  const hasOthers = await listPersons(tx, rule, scope, asOf);
  // Some rules ask for persons alone.
  if (!hasOthers || !rule.select.includes('rule_mention')) return touched;
  await sql`
    CREATE TEMPORARY TABLE other_mention ON COMMIT DROP AS
    SELECT m.*, p.person_id FROM other_person p
    JOIN identity.link l USING (person_id) JOIN identity.mention m USING (mention_id)
    WHERE m.active AND NOT EXISTS (SELECT FROM (${touched}) t WHERE t.person_id = p.person_id)`.execute(tx);
  await sql`ANALYZE other_mention`.execute(tx);
  return sql`${touched} UNION ALL SELECT * FROM other_mention`;
}

/** Whether those whom a night touched by a record or a household in common alone concern a rule, too. */
const withRelated = ({ evaluates }: Rule): boolean => evaluates === 'changed relations';

/** Of the touched those who concern a rule, as a condition on population.touched_person. */
const concerned = (rule: Rule): RawBuilder<boolean> => (withRelated(rule) ? sql`true` : sql`NOT by_relation`);

/** Of a rule of changed mentions, too, everybody: it asks for mentions. */
function personsOf(rule: Rule, scope: Scope): RawBuilder<unknown> {
  if (scope === 'everything' || rule.evaluates === 'changed mentions')
    return sql`SELECT person_id FROM identity.person WHERE merged_into IS NULL`;
  return sql`
    SELECT person_id FROM population.touched_person WHERE run_id > ${sql.lit(scope.since)} AND ${concerned(rule)}
    UNION SELECT person_id FROM other_person`;
}

/**
 * After: temporary table `other_person` has whom the rule looks at beside those whom this run touched.
 *
 * @returns whether there are any
 */
async function listPersons(
  tx: Transaction<DB>,
  rule: Rule,
  { since, asOf: lastAsOf, run }: Exclude<Scope, 'everything'>,
  asOf: string,
): Promise<boolean> {
  await sql`CREATE TEMPORARY TABLE other_person (person_id bigint PRIMARY KEY) ON COMMIT DROP`.execute(tx);
  // The mentions of those whom this run touched stand ready, unless the server has lost them.
  await sql`
    INSERT INTO other_person
    SELECT DISTINCT person_id FROM population.touched_person
    WHERE run_id > ${since} AND ${concerned(rule)}
      AND (run_id <> ${run} OR NOT EXISTS (
        SELECT FROM population.touched_mention UNION ALL SELECT FROM population.related_mention))`.execute(
    tx,
  );
  if (rule.wakes === null) await addJudged(tx, rule.rule);
  else {
    const days = { lastAsOf, asOf };
    await addWokenAndCompared(
      tx,
      rule.wakes.filter(({ alone }) => !alone),
      days,
    );
    await addWoken(
      tx,
      rule.wakes.filter(({ alone }) => alone),
      days,
    );
  }
  await sql`ANALYZE other_person`.execute(tx);
  const { rows } = await sql<{ any: boolean }>`SELECT EXISTS (SELECT FROM other_person) AS any`.execute(tx);
  return rows[0]?.any ?? false;
}

/** A rule that does not say when its findings come and go looks at everybody who has a case of it. */
async function addJudged(tx: Transaction<DB>, rule: string): Promise<void> {
  await sql`
    WITH judged AS (
      SELECT person_id FROM anomalies.anomaly WHERE rule = ${rule} AND NOT healed AND person_id IS NOT NULL
      UNION
      SELECT l.person_id FROM anomalies.anomaly a
      JOIN identity.mention m ON m.source_key = a.source_key AND m.feed = a.feed AND (a.role IS NULL OR m.role = a.role)
      JOIN identity.link l USING (mention_id)
      WHERE a.rule = ${rule} AND NOT a.healed)
    INSERT INTO other_person
    SELECT person_id FROM judged
    UNION
    SELECT other.person_id FROM judged JOIN identity.link own USING (person_id)
    JOIN identity.link other ON other.id_number = own.id_number
    ON CONFLICT DO NOTHING`.execute(tx);
}

/** The dates of the last evaluation and of this one, YYYY-MM-DD. */
interface Days {
  readonly lastAsOf: string;
  readonly asOf: string;
}

/** A SELECT of person_id: whose day has come since the last evaluation. */
function personsWoken(wakes: readonly Wake[], { lastAsOf, asOf }: Days): RawBuilder<unknown> {
  const woken = wakes.map(({ feed, picture, field, days, months, years }) => {
    const past = sql`make_interval(days => ${days}::integer, months => ${months}::integer, years => ${years}::integer)`;
    // A day on either side: whether a rule counts the day itself is the rule's.
    const has = sql`
      r.${sql.id(field)} BETWEEN (${lastAsOf}::date - ${past})::date - 1 AND (${asOf}::date - ${past})::date + 1`;
    return feed === null
      ? sql`SELECT r.person_id FROM ${sql.id('population', picture ?? '')} r WHERE ${has}`
      : sql`
        SELECT l.person_id FROM ${sql.id('registry', feed)} r
        JOIN identity.mention m ON m.source_key = r.source_key AND m.feed = ${feed} AND m.active
        JOIN identity.link l USING (mention_id) WHERE ${has}`;
  });
  return sql.join(woken, sql` UNION `);
}

/** Adds those whose day has come. */
async function addWoken(tx: Transaction<DB>, wakes: readonly Wake[], days: Days): Promise<void> {
  if (wakes.length === 0) return;
  await sql`INSERT INTO other_person ${personsWoken(wakes, days)} ON CONFLICT DO NOTHING`.execute(tx);
}

/** Adds, beside those whose day has come, who is compared with one of them, and who stands in one record with any of these. */
async function addWokenAndCompared(tx: Transaction<DB>, wakes: readonly Wake[], days: Days): Promise<void> {
  if (wakes.length === 0) return;
  await sql`CREATE TEMPORARY TABLE woken ON COMMIT DROP AS ${personsWoken(wakes, days)}`.execute(tx);
  await sql`INSERT INTO other_person SELECT person_id FROM woken ON CONFLICT DO NOTHING`.execute(tx);
  await gatherValues(tx, sql`woken`, sql`SELECT NULL, NULL, NULL, NULL, NULL WHERE false`);
  await sql`INSERT INTO other_person ${comparedPersons} ON CONFLICT DO NOTHING`.execute(tx);
  await sql`INSERT INTO other_person ${personsBeside(sql`other_person`)} ON CONFLICT DO NOTHING`.execute(tx);
}

/**
 * Runs a rule's SELECT: what it returns is in `found`, each subject once. Nothing else is written, and no case
 * is locked: this is the long part.
 *
 * @param asOf YYYY-MM-DD: `:as_of` of the rule
 * @throws RULE_FAILED naming the file
 */
export async function findSubjects(tx: Transaction<DB>, rule: Rule, asOf: string): Promise<void> {
  const columns = FINDING.map((column) => `r.${column}`).join(', ');
  await runSelect(tx, rule, asOf, [`INSERT INTO found SELECT ${columns} FROM (`, ') r']);
  await sql`ANALYZE found`.execute(tx);
}

/** What the SELECT of a rule returns. */
const FINDING = ['subject', 'feed', 'source_key', 'role', 'person_id', 'division', 'evidence'] as const;

/**
 * Runs a rule's SELECT within a statement.
 *
 * @param around what stands before it, on one line, and after it
 * @throws RULE_FAILED naming file and line
 */
export async function runSelect<Row>(
  tx: Transaction<DB>,
  rule: Rule,
  asOf: string,
  [before, after]: readonly [string, string],
): Promise<Row[]> {
  const statement = `${before}${rule.select}${after}`;
  try {
    const { rows } = await tx.executeQuery<Row>(CompiledQuery.raw(statement, [...rule.bind(asOf)]));
    return rows;
  } catch (error) {
    throw new PopshareError('RULE_FAILED', `${placeOf(rule, statement, error)}: ${explain(error)}`, {
      cause: error,
    });
  }
}

/** The file, and the line at which the database stumbled, where it says so. */
function placeOf({ file, line }: Rule, statement: string, error: unknown): string {
  const position = error instanceof pg.DatabaseError ? Number(error.position ?? 0) : 0;
  if (position === 0) return file;
  return `${file}:${line + statement.slice(0, position - 1).split('\n').length - 1}`;
}

/** What goes wrong with rules most often, in words of rules; otherwise what the database says. */
function explain(error: unknown): string {
  if (!(error instanceof pg.DatabaseError)) return error instanceof Error ? error.message : String(error);
  const { code = '', constraint, column, message } = error;
  const lacking = /^column r\.(\w+) does not exist$/.exec(message)?.[1];
  if (lacking !== undefined) return `it returns no column ${lacking}; expected ${FINDING.join(', ')}`;
  if (constraint === 'found_pkey') return 'it returns a subject more than once';
  if (code === '23502') return `its column ${column} is empty in some row`;
  if (code === '25006' || message.includes('data-modifying')) return `it may only read: ${message}`;
  if (code.startsWith('22')) return `a value is not what it is read as: ${message}`;
  return message;
}
