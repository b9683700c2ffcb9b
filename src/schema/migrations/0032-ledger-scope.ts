import { type Kysely, sql } from 'kysely';
import type { Migration } from 'kysely/migration';
import {
  createPolicies,
  HANDLES_CASES,
  IN_DIVISION,
  IS_OFFICER,
  ROLE_IN,
} from './0021-row-level-security.ts';

/**
 * What step 21 left open to whoever has a server's role: the ledger is shown by department, as the routes show it; the
 * counts of cases ask for a session; the counts of persons, from which suppressed figures could be added up, are taken
 * from the server, which reads none of them.
 */
async function up(db: Kysely<unknown>): Promise<void> {
  await createPolicies(db, POLICIES);
  for (const [table, { now }] of Object.entries(NARROWED))
    await sql`ALTER POLICY scope ON ${sql.table(table)} USING (${sql.raw(now)}) WITH CHECK (${sql.raw(now)})`.execute(
      db,
    );
  // A refused row says of no place for sure where it belongs: whose scope is a place takes none away.
  await sql`
    CREATE POLICY whole_county ON ops.rejected_row AS RESTRICTIVE TO popshare_export
    USING ((SELECT access.is_everywhere()))`.execute(db);
  // What each night asks for, however long the log has become.
  await sql`CREATE INDEX entry_of_configuration ON audit.entry (entry_id) WHERE action = 'configuration'`.execute(
    db,
  );
  await sql`
    REVOKE SELECT ON population.residence_count, population.resident_estimate, reporting.residence, reporting.run,
      reporting.delivery
    FROM popshare_app, popshare_export`.execute(db);
}

const WHOLE_DIVISION = IN_DIVISION('division');
const EVERY_DEPARTMENT = `(SELECT access.current_department()) = ''`;
const OWN_FEEDS = `(SELECT feed FROM reference.feed WHERE department = (SELECT access.current_department()))`;
export const READS_LEDGER = ROLE_IN('operator', 'officer', 'supervisor', 'department');

const TALLIES = [
  'tally_move',
  'tally_book',
  'tally_day_book',
  'tally_due_book',
  'tally_town_book',
  'tally_town_day_book',
  'tally_town_due_book',
  'tally_group_book',
];

/** Which rows are in scope, of tables that had no policy. What hangs on a delivery is seen with it. */
const POLICIES: Readonly<Record<string, string>> = {
  'ops.run': READS_LEDGER,
  'ops.step': `${READS_LEDGER} AND (name <> 'ingest' OR ${EVERY_DEPARTMENT} OR subject IN ${OWN_FEEDS})`,
  'ops.delivery': `${READS_LEDGER} AND (${EVERY_DEPARTMENT} OR department = (SELECT access.current_department()))`,
  'ops.gate_finding': 'EXISTS (SELECT FROM ops.delivery d WHERE d.delivery_id = gate_finding.delivery_id)',
  'ops.delivery_decision':
    'EXISTS (SELECT FROM ops.delivery d WHERE d.delivery_id = delivery_decision.delivery_id)',
  'ops.feed_state': `${READS_LEDGER} AND (${EVERY_DEPARTMENT} OR feed IN ${OWN_FEEDS})`,
  ...Object.fromEntries(TALLIES.map((name) => [`anomalies.${name}`, HANDLES_CASES])),
};

/** Of a department, only where somebody lives, or is registered, whom it knows. */
const NARROWED: Readonly<Record<string, { readonly now: string; readonly before: string }>> = {
  'population.dwelling': {
    now: `${IS_OFFICER} AND ${WHOLE_DIVISION} AND (${EVERY_DEPARTMENT} OR EXISTS (
      SELECT FROM population.dwelling_person p WHERE p.dwelling_id = dwelling.dwelling_id))`,
    before: `${IS_OFFICER} AND ${WHOLE_DIVISION}`,
  },
  'population.household': {
    now: `${IS_OFFICER} AND ${WHOLE_DIVISION} AND (${EVERY_DEPARTMENT} OR EXISTS (
      SELECT FROM population.household_member m WHERE m.household_code = household.household_code))`,
    before: `${IS_OFFICER} AND ${WHOLE_DIVISION}`,
  },
};

async function down(db: Kysely<unknown>): Promise<void> {
  await sql`
    GRANT SELECT ON population.residence_count, population.resident_estimate, reporting.residence, reporting.run,
      reporting.delivery
    TO popshare_app, popshare_export`.execute(db);
  await sql`DROP INDEX audit.entry_of_configuration`.execute(db);
  await sql`DROP POLICY whole_county ON ops.rejected_row`.execute(db);
  for (const [table, { before }] of Object.entries(NARROWED))
    await sql`ALTER POLICY scope ON ${sql.table(table)} USING (${sql.raw(before)}) WITH CHECK (${sql.raw(before)})`.execute(
      db,
    );
  for (const table of Object.keys(POLICIES)) {
    await sql`DROP POLICY scope ON ${sql.table(table)}`.execute(db);
    await sql`ALTER TABLE ${sql.table(table)} DISABLE ROW LEVEL SECURITY`.execute(db);
  }
}

export const ledgerScope: Migration = { up, down };
