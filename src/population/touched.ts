import { sql, type Transaction } from 'kysely';
import type { DB } from '../schema/database.ts';
import type { RunId } from '../schema/ids.ts';

/** How far the picture has come. */
export interface Progress {
  readonly updatedRun: number;
  /** ISO 8601; null before the first picture. */
  readonly updatedAt: string | null;
}

/**
 * Finds whose picture may have changed since the last night, or changes tonight by time alone.
 *
 * After: temporary table `touched_person` has every person of whom a record changed, came or went, whose mentions
 * changed hands (both sides, also who was merged away), and whose day to be looked at again has come.
 *
 * @param asOf YYYY-MM-DD
 * @returns how many persons
 */
export async function findTouched(
  tx: Transaction<DB>,
  { updatedRun, updatedAt }: Progress,
  asOf: string,
): Promise<number> {
  await sql`CREATE TEMPORARY TABLE touched_person (person_id bigint PRIMARY KEY) ON COMMIT DROP`.execute(tx);
  await sql`
    INSERT INTO touched_person
    SELECT l.person_id FROM identity.mention m JOIN identity.link l USING (mention_id)
    WHERE m.changed_run > ${updatedRun}
    UNION
    SELECT person_id FROM identity.person_event WHERE run_id > ${updatedRun}
    UNION
    SELECT other_person_id FROM identity.person_event
    WHERE run_id > ${updatedRun} AND other_person_id IS NOT NULL
    UNION
    SELECT person_id FROM population.standing WHERE revisit_on <= ${asOf}::date`.execute(tx);
  if (updatedAt !== null) await addChangedRecords(tx, updatedAt);
  await sql`ANALYZE touched_person`.execute(tx);
  const { rows } = await sql<{ persons: number }>`SELECT count(*) AS persons FROM touched_person`.execute(tx);
  return rows[0]?.persons ?? 0;
}

/**
 * Adds to the touched whoever shares or shared a household with one of them: the signs of a spouse, and the index of
 * the adults for the children, come from there.
 *
 * After: `touched_mention` has the mentions of the touched that stand.
 */
export async function addHouseholds(tx: Transaction<DB>): Promise<void> {
  // Who is new to a household is touched already, so the members that the picture knows are enough.
  await sql`
    INSERT INTO touched_person
    SELECT s.person_id FROM population.standing s
    JOIN (SELECT s.household_number FROM touched_person JOIN population.standing s USING (person_id)
          WHERE s.household_number IS NOT NULL
          UNION
          SELECT m.household_code FROM touched_person
          JOIN identity.link l USING (person_id) JOIN identity.mention m USING (mention_id)
          WHERE m.active AND m.feed = 'household_register') h USING (household_number)
    ON CONFLICT DO NOTHING`.execute(tx);
  await sql`ANALYZE touched_person`.execute(tx);
  await sql`
    CREATE TEMPORARY TABLE touched_mention ON COMMIT DROP AS
    SELECT l.person_id, m.feed, m.source_key, m.role
    FROM touched_person JOIN identity.link l USING (person_id) JOIN identity.mention m USING (mention_id)
    WHERE m.active`.execute(tx);
  await sql`ANALYZE touched_mention`.execute(tx);
}

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
  await sql`TRUNCATE population.touched_mention`.execute(tx);
  if (!everybody) {
    await sql`
      INSERT INTO population.touched_person
      SELECT ${runId}::bigint, person_id FROM touched_person ON CONFLICT DO NOTHING`.execute(tx);
    await listCompared(tx, runId);
    await sql`
      INSERT INTO population.touched_mention
      SELECT m.*, p.person_id FROM population.touched_person p
      JOIN identity.link l USING (person_id) JOIN identity.mention m USING (mention_id)
      WHERE p.run_id = ${runId} AND m.active ORDER BY m.feed, m.source_key`.execute(tx);
    await sql`ANALYZE population.touched_mention`.execute(tx);
  }
  await sql`DELETE FROM identity.former_mention`.execute(tx);
  await forgetNights(tx);
}

/** Adds those whose records are compared with what the touched give now, or gave before. */
async function listCompared(tx: Transaction<DB>, runId: RunId): Promise<void> {
  await sql`
    CREATE TEMPORARY TABLE touched_value ON COMMIT DROP AS
    SELECT m.id_number, m.name, m.birth_date, m.phone, m.division
    FROM touched_person JOIN identity.link USING (person_id) JOIN identity.mention m USING (mention_id)
    WHERE m.active
    UNION
    SELECT id_number, name, birth_date, phone, division FROM identity.former_mention`.execute(tx);
  await sql`ANALYZE touched_value`.execute(tx);
  // One pass over the mentions, with three questions of each; a name that cannot be read whole is like others. Pairs
  // as one text: with a null in a pair of columns, the server would compare it with the whole list.
  await sql`
    INSERT INTO population.touched_person
    SELECT DISTINCT ${runId}::bigint, l.person_id FROM identity.mention m JOIN identity.link l USING (mention_id)
    WHERE m.active AND (
      m.name || ' ' || m.birth_date IN (
        SELECT name || ' ' || birth_date FROM touched_value WHERE num_nulls(name, birth_date) = 0)
      OR m.name || ' ' || m.phone IN (
        SELECT name || ' ' || phone FROM touched_value WHERE num_nulls(name, phone) = 0)
      OR m.name || ' ' || m.division IN (
        SELECT name || ' ' || division FROM touched_value WHERE num_nulls(name, division) = 0))
    UNION
    SELECT ${runId}::bigint, l.person_id FROM touched_value t JOIN identity.link l USING (id_number)
    UNION
    SELECT ${runId}::bigint, other.person_id
    FROM touched_person JOIN identity.link own USING (person_id) JOIN identity.mention m USING (mention_id)
    JOIN identity.mention beside ON beside.source_key = m.source_key AND beside.feed = m.feed AND beside.role <> m.role
    JOIN identity.link other ON other.mention_id = beside.mention_id
    UNION
    SELECT ${runId}::bigint, l.person_id
    FROM touched_value t JOIN identity.mention m USING (birth_date) JOIN identity.link l USING (mention_id)
    WHERE m.active AND ((strpos(t.name, '□') > 0 AND m.name LIKE replace(t.name, '□', '_%'))
                        OR (strpos(m.name, '□') > 0 AND t.name LIKE replace(m.name, '□', '_%')))
    ON CONFLICT DO NOTHING`.execute(tx);
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
 * A record can change where no mention tells it (a date, a status): one pass over each feed of which something was
 * applied since.
 */
async function addChangedRecords(tx: Transaction<DB>, updatedAt: string): Promise<void> {
  const { rows } = await sql<{ feed: string; deliveries: number[] }>`
    SELECT feed, array_agg(delivery_id) AS deliveries FROM ops.delivery
    WHERE status = 'applied' AND applied_at > ${updatedAt}::timestamptz AND changed > 0
    GROUP BY feed ORDER BY feed`.execute(tx);
  for (const { feed, deliveries } of rows) {
    await sql`
      INSERT INTO touched_person
      SELECT DISTINCT l.person_id FROM ${sql.id('registry', feed)} r
      JOIN identity.mention m ON m.source_key = r.source_key AND m.feed = ${feed} JOIN identity.link l USING (mention_id)
      WHERE r.delivery_id = ANY (${deliveries}::bigint[])
      ON CONFLICT DO NOTHING`.execute(tx);
  }
}
