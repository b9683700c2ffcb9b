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
 * Keeps for the rules whom this run touched, who shares or shared with one who changed what records of different persons
 * are compared by (the number, the name with the birth date, the telephone or the place), and who stands in one record with
 * one of all these. Those touched by a record or a household in common alone are marked, and their mentions are kept apart:
 * they are most, and concern few rules. Where the touched are too many to be listed, and on the first night of a month, it
 * keeps that it was everybody.
 *
 * Before: temporary tables `touched_person`, and of these `changed_person`, those not touched by their household alone.
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
  if (everybody) await sql`TRUNCATE population.touched_mention, population.related_mention`.execute(tx);
  else {
    await listChanged(tx, runId);
    await listRelated(tx, runId);
    await keepMentions(tx, runId, 'population.touched_mention', false);
    await keepMentions(tx, runId, 'population.related_mention', true);
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

/** Fills a table with the mentions that stand of those who were touched by a relation alone, or of the others. */
async function keepMentions(
  tx: Transaction<DB>,
  runId: RunId,
  table: 'population.touched_mention' | 'population.related_mention',
  byRelation: boolean,
): Promise<void> {
  await loadUnindexed(tx, table, async () => {
    await sql`
      INSERT INTO ${sql.table(table)}
      SELECT m.*, p.person_id FROM population.touched_person p
      JOIN identity.link l USING (person_id) JOIN identity.mention m USING (mention_id)
      WHERE p.run_id = ${runId} AND p.by_relation = ${byRelation} AND m.active ORDER BY m.feed, m.source_key`.execute(
      tx,
    );
  });
}

/** Lists the changed, and those whose records are compared with what the changed give now, or gave before. */
async function listChanged(tx: Transaction<DB>, runId: RunId): Promise<void> {
  await gatherValues(
    tx,
    sql`changed_person`,
    sql`SELECT id_number, name, birth_date, phone, division FROM identity.former_mention`,
  );
  await sql`
    INSERT INTO population.touched_person
    SELECT ${runId}::bigint, person_id, false FROM (
      SELECT person_id FROM changed_person
      UNION
      ${comparedPersons}
      UNION
      SELECT l.person_id
      FROM moved_division d JOIN identity.mention m ON m.registered_division = d.division JOIN identity.link l USING (mention_id)
      WHERE m.active) compared
    ON CONFLICT (run_id, person_id) DO UPDATE SET by_relation = false`.execute(tx);
}

/** Lists the other touched, and who stands in one record with anybody listed: a case about a pupil is looked at with the guardian. */
async function listRelated(tx: Transaction<DB>, runId: RunId): Promise<void> {
  await sql`
    INSERT INTO population.touched_person
    SELECT ${runId}::bigint, person_id, true FROM touched_person ON CONFLICT DO NOTHING`.execute(tx);
  await sql`CREATE TEMPORARY TABLE listed ON COMMIT DROP AS
    SELECT person_id FROM population.touched_person WHERE run_id = ${runId}`.execute(tx);
  await sql`ANALYZE listed`.execute(tx);
  await sql`
    INSERT INTO population.touched_person
    SELECT DISTINCT ${runId}::bigint, person_id, true FROM (${personsBeside(sql`listed`)}) beside ON CONFLICT DO NOTHING`.execute(
    tx,
  );
}
