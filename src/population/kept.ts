import { sql, type Transaction } from 'kysely';
import type { DB } from '../schema/database.ts';
import type { RunId } from '../schema/ids.ts';
import { loadUnindexed } from '../schema/warehouse/bulk.ts';
import { comparedPersons, gatherValues, personsBeside } from './compared.ts';
import type { Progress } from './touched.ts';

/** Of more than this share of the persons no list is kept: looking at everybody is as cheap. */
const LISTED_SHARE = 0.2;
/** How many runs back the touched are listed; a rule that has rested longer looks at everybody. */
const LISTED_RUNS = 10;

/**
 * Keeps for the rules whom this run touched, who stands in one record with one of them, and who shares or shared with
 * one of them what records of different persons are compared by: the number, the name with the birth date, the
 * telephone or the place. Where the touched are too many to be listed, and on the first night of a month, it keeps
 * that it was everybody.
 *
 * Before: temporary table `touched_person`.
 */
export async function keepTouched(
  tx: Transaction<DB>,
  runId: RunId,
  { updatedRun, isNewMonth }: Progress & { readonly isNewMonth: boolean },
): Promise<void> {
  const { rows } = await sql<{ many: boolean }>`
    SELECT (SELECT count(*) FROM touched_person)
           > ${LISTED_SHARE}::float * (SELECT count(*) FROM identity.person WHERE merged_into IS NULL) AS many`.execute(
    tx,
  );
  const everybody = updatedRun === 0 || isNewMonth || rows[0]?.many !== false;
  await sql`
    INSERT INTO population.touched_night AS kept (run_id, everybody) VALUES (${runId}, ${everybody})
    ON CONFLICT (run_id) DO UPDATE SET everybody = kept.everybody OR excluded.everybody`.execute(tx);
  if (everybody) await sql`TRUNCATE population.touched_mention`.execute(tx);
  else {
    await sql`
      INSERT INTO population.touched_person
      SELECT ${runId}::bigint, person_id FROM touched_person ON CONFLICT DO NOTHING`.execute(tx);
    await listCompared(tx, runId);
    await loadUnindexed(tx, 'population.touched_mention', async () => {
      await sql`
        INSERT INTO population.touched_mention
        SELECT m.*, p.person_id FROM population.touched_person p
        JOIN identity.link l USING (person_id) JOIN identity.mention m USING (mention_id)
        WHERE p.run_id = ${runId} AND m.active ORDER BY m.feed, m.source_key`.execute(tx);
    });
  }
  await sql`DELETE FROM identity.former_mention`.execute(tx);
  await forgetNights(tx);
}

async function forgetNights(tx: Transaction<DB>): Promise<void> {
  await sql`
    UPDATE population.touched_night SET everybody = true
    WHERE NOT everybody AND run_id NOT IN (
      SELECT run_id FROM population.touched_night ORDER BY run_id DESC LIMIT ${LISTED_RUNS})`.execute(tx);
  await sql`
    DELETE FROM population.touched_person WHERE run_id IN (
      SELECT run_id FROM population.touched_night WHERE everybody)`.execute(tx);
}

/**
 * Adds those whose records are compared with what the changed give now, or gave before, and then who stands in one record
 * with anybody listed: a case about a pupil is looked at with the guardian.
 */
async function listCompared(tx: Transaction<DB>, runId: RunId): Promise<void> {
  await gatherValues(
    tx,
    sql`changed_person`,
    sql`SELECT id_number, name, birth_date, phone, division FROM identity.former_mention`,
  );
  await sql`
    INSERT INTO population.touched_person
    SELECT ${runId}::bigint, person_id FROM (
      ${comparedPersons}
      UNION
      SELECT l.person_id
      FROM moved_division d JOIN identity.mention m ON m.registered_division = d.division JOIN identity.link l USING (mention_id)
      WHERE m.active) compared
    ON CONFLICT DO NOTHING`.execute(tx);
  await sql`CREATE TEMPORARY TABLE listed ON COMMIT DROP AS
    SELECT person_id FROM population.touched_person WHERE run_id = ${runId}`.execute(tx);
  await sql`ANALYZE listed`.execute(tx);
  await sql`
    INSERT INTO population.touched_person
    SELECT DISTINCT ${runId}::bigint, person_id FROM (${personsBeside(sql`listed`)}) beside ON CONFLICT DO NOTHING`.execute(
    tx,
  );
}
