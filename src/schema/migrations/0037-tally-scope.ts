import { type Kysely, sql } from 'kysely';
import type { Migration } from 'kysely/migration';
import { TALLIES } from './0019-tallies.ts';
import { HANDLES_CASES, IN_DIVISION, OF_DEPARTMENT } from './0021-row-level-security.ts';
import { READS_LEDGER } from './0032-ledger-scope.ts';

/**
 * Counts of cases are read as far as the scope goes, as the cases are. What was left open for it goes through two
 * functions: the server enters the journal in the books without a right on the books, and learns which lanes and groups
 * there are without how many cases they have elsewhere. What a run found of all cases and persons is told to whoever sees
 * everything; to others, how it went and what of their department arrived.
 */
async function up(db: Kysely<unknown>): Promise<void> {
  for (const [table, rows] of Object.entries(POLICIES))
    await sql`ALTER POLICY scope ON ${sql.table(table)} USING (${sql.raw(rows)}) WITH CHECK (${sql.raw(rows)})`.execute(
      db,
    );
  // Who changes a case of a village enters a move of its township.
  await sql`
    CREATE POLICY entering ON anomalies.tally_move FOR INSERT TO popshare_app, popshare_export
    WITH CHECK (${sql.raw(HANDLES_CASES)} AND starts_with((SELECT access.division_from()), town))`.execute(
    db,
  );
  await sql`
    REVOKE INSERT, UPDATE ON ${sql.join(BOOKS.map((book) => sql.table(book)))} FROM popshare_app, popshare_export`.execute(
    db,
  );
  await sql`REVOKE DELETE ON anomalies.tally_move FROM popshare_app, popshare_export`.execute(db);
  await sql`REVOKE SELECT ON anomalies.tally_group, anomalies.tally_group_book FROM popshare_app, popshare_export`.execute(
    db,
  );
  await createFunctions(db);
  await sql`REVOKE SELECT ON ops.run FROM popshare_app, popshare_export`.execute(db);
  await sql`
    GRANT SELECT (run_id, business_date, purpose, status, started_at, finished_at, heartbeat_at) ON ops.run
    TO popshare_app, popshare_export`.execute(db);
  await createRunReport(db);
}

const BOOKS = TALLIES.map(({ name }) => `anomalies.${name}_book`);
const OF_OWN_DEPARTMENT = OF_DEPARTMENT('department', 'returned_to');
const OF_TOWNS = `${HANDLES_CASES} AND ${IN_DIVISION('town')} AND ${OF_OWN_DEPARTMENT}`;
const OF_COUNTIES = `${HANDLES_CASES} AND ${IN_DIVISION('county')} AND ${OF_OWN_DEPARTMENT}`;

/** Which rows are in scope. Groups are of no place: who may see one is told by {@link createFunctions}. */
const POLICIES: Readonly<Record<string, string>> = {
  'anomalies.tally_move': OF_TOWNS,
  'anomalies.tally_town_book': OF_TOWNS,
  'anomalies.tally_town_day_book': OF_TOWNS,
  'anomalies.tally_town_due_book': OF_TOWNS,
  'anomalies.tally_book': OF_COUNTIES,
  'anomalies.tally_day_book': OF_COUNTIES,
  'anomalies.tally_due_book': OF_COUNTIES,
};

/** Each runs with its owner's rights, for whom the policies are not. */
async function createFunctions(db: Kysely<unknown>): Promise<void> {
  const entered = TALLIES.map(
    ({ name, cell, queued }) => `
      INSERT INTO anomalies.${name}_book AS b (${cell}, cases)
      SELECT ${cell}, sum(cases) FROM gone
      WHERE ${queued ? `severity <> 'info'` : 'true'} ${name === 'tally_group' ? IN_A_GROUP : ''}
      GROUP BY ${cell} HAVING sum(cases) <> 0 ${cell.includes('due_on') ? 'ORDER BY due_on' : ''}
      ON CONFLICT (${cell}) DO UPDATE SET cases = b.cases + excluded.cases`,
  );
  // What is asked for days finds them side by side: hence the order.
  await sql`
    CREATE FUNCTION anomalies.enter_moves(at_least integer) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog AS $$
    BEGIN
      IF (SELECT count(*) FROM (SELECT FROM anomalies.tally_move LIMIT at_least) waiting) < at_least
         OR NOT pg_try_advisory_xact_lock(hashtext('popshare.tallies')) THEN
        RETURN;
      END IF;
      WITH gone AS MATERIALIZED (DELETE FROM anomalies.tally_move RETURNING *),
      ${sql.raw(
        entered
          .slice(1)
          .map((insert, index) => `entered_${index} AS (${insert})`)
          .join(', '),
      )}
      ${sql.raw(entered[0] ?? '')};
    END $$`.execute(db);
  // For the owner alone, in a night.
  await sql`
    CREATE FUNCTION anomalies.tidy_tallies() RETURNS void LANGUAGE plpgsql SET search_path = pg_catalog AS $$
    BEGIN
      IF NOT pg_try_advisory_xact_lock(hashtext('popshare.tallies')) THEN
        RETURN;
      END IF;
      PERFORM anomalies.enter_moves(1);
      ${sql.raw(BOOKS.map((book) => `DELETE FROM ${book} WHERE cases = 0;`).join('\n      '))}
    END $$`.execute(db);
  await sql`REVOKE ALL ON FUNCTION anomalies.tidy_tallies FROM PUBLIC`.execute(db);
  await sql`
    CREATE FUNCTION anomalies.lanes() RETURNS TABLE (lane text, severity text, department text)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog ROWS 100 AS $$
      SELECT lane, severity, department FROM anomalies.tally GROUP BY lane, severity, department HAVING sum(cases) > 0
    $$`.execute(db);
  // The book has each group once, and the journal is short: the one is read as it stands, the other summed.
  await sql`
    CREATE FUNCTION anomalies.groups_above(most bigint) RETURNS TABLE (lane text, cause text)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog ROWS 10 AS $$
      SELECT lane, cause
      FROM anomalies.tally_group_book b FULL JOIN (
        SELECT lane, cause, sum(cases) AS cases FROM anomalies.tally_move
        WHERE severity <> 'info' ${sql.raw(IN_A_GROUP)}
        GROUP BY lane, cause) m USING (lane, cause)
      WHERE coalesce(b.cases, 0) + coalesce(m.cases, 0) > most
    $$`.execute(db);
  const functions = sql`FUNCTION anomalies.enter_moves, anomalies.lanes, anomalies.groups_above`;
  await sql`REVOKE ALL ON ${functions} FROM PUBLIC`.execute(db);
  await sql`GRANT EXECUTE ON ${functions} TO popshare_app, popshare_export`.execute(db);
}

async function createRunReport(db: Kysely<unknown>): Promise<void> {
  await sql`
    CREATE FUNCTION ops.run_report(asked bigint) RETURNS jsonb
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog AS $$
      SELECT CASE
        WHEN access.is_everywhere() AND d = '' THEN summary
        WHEN jsonb_typeof(summary) = 'object' THEN (
          SELECT coalesce(jsonb_object_agg(key, value), '{}') FROM jsonb_each(summary)
          WHERE key NOT IN ('identity', 'anomalies', 'doubtful_rules', 'deliveries', 'late_feeds')) || (
          SELECT jsonb_object_agg(list, (
            SELECT coalesce(jsonb_agg(item), '[]') FROM jsonb_path_query(summary -> list, '$[*]') item
            WHERE d = '' OR item ->> 'department' = d))
          FROM unnest(ARRAY['deliveries', 'late_feeds']) AS list)
        END
      FROM ops.run, access.current_department() d WHERE run_id = asked AND ${sql.raw(READS_LEDGER)}
    $$`.execute(db);
  await sql`REVOKE ALL ON FUNCTION ops.run_report FROM PUBLIC`.execute(db);
  await sql`GRANT EXECUTE ON FUNCTION ops.run_report TO popshare_app, popshare_export`.execute(db);
}

const IN_A_GROUP = `AND status IN ('new', 'assigned', 'returned') AND cause <> ''`;

async function down(db: Kysely<unknown>): Promise<void> {
  await sql`DROP FUNCTION anomalies.tidy_tallies, anomalies.enter_moves, anomalies.lanes, anomalies.groups_above, ops.run_report`.execute(
    db,
  );
  await sql`GRANT SELECT ON ops.run TO popshare_app, popshare_export`.execute(db);
  await sql`GRANT SELECT ON anomalies.tally_group, anomalies.tally_group_book TO popshare_app, popshare_export`.execute(
    db,
  );
  await sql`GRANT DELETE ON anomalies.tally_move TO popshare_app, popshare_export`.execute(db);
  await sql`
    GRANT INSERT, UPDATE ON ${sql.join(BOOKS.map((book) => sql.table(book)))} TO popshare_app, popshare_export`.execute(
    db,
  );
  await sql`DROP POLICY entering ON anomalies.tally_move`.execute(db);
  for (const table of Object.keys(POLICIES))
    await sql`ALTER POLICY scope ON ${sql.table(table)} USING (${sql.raw(HANDLES_CASES)}) WITH CHECK (${sql.raw(HANDLES_CASES)})`.execute(
      db,
    );
}

export const tallyScope: Migration = { up, down };
