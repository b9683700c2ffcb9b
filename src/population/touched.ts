import { type RawBuilder, sql, type Transaction } from 'kysely';
import type { DB } from '../schema/database.ts';
import { isEmpty } from '../schema/warehouse/bulk.ts';

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
 * changed hands (both sides, also who was merged away), and whose day to be looked at again has come; `changed_person`
 * the same, for who is added to the touched later has not changed.
 *
 * @param asOf YYYY-MM-DD
 * @returns how many persons
 */
export async function findTouched(
  tx: Transaction<DB>,
  { updatedRun, updatedAt }: Progress,
  asOf: string,
): Promise<number> {
  const linked =
    updatedRun === 0
      ? sql`SELECT person_id FROM identity.link`
      : sql`SELECT l.person_id FROM identity.mention m JOIN identity.link l USING (mention_id)
            WHERE m.changed_run > ${updatedRun}`;
  await sql`
    CREATE TEMPORARY TABLE touched_person ON COMMIT DROP AS
    ${linked}
    UNION
    SELECT person_id FROM identity.person_event WHERE run_id > ${updatedRun}
    UNION
    SELECT other_person_id FROM identity.person_event
    WHERE run_id > ${updatedRun} AND other_person_id IS NOT NULL
    UNION
    SELECT person_id FROM population.standing WHERE revisit_on <= ${asOf}::date
    ORDER BY person_id`.execute(tx);
  await sql`ALTER TABLE touched_person ADD PRIMARY KEY (person_id)`.execute(tx);
  if (updatedAt !== null) await addChangedRecords(tx, updatedAt);
  await sql`CREATE TEMPORARY TABLE changed_person ON COMMIT DROP AS SELECT person_id FROM touched_person`.execute(
    tx,
  );
  await sql`ANALYZE touched_person, changed_person`.execute(tx);
  const { rows } = await sql<{ persons: number }>`SELECT count(*) AS persons FROM changed_person`.execute(tx);
  return rows[0]?.persons ?? 0;
}

/** After: temporary table `touched_mention` has the mentions of the touched that stand. */
export async function gatherMentions(tx: Transaction<DB>): Promise<void> {
  await sql`CREATE TEMPORARY TABLE touched_mention ON COMMIT DROP AS ${mentionsOf('touched_person')}`.execute(
    tx,
  );
  await sql`ANALYZE touched_mention`.execute(tx);
}

function mentionsOf(persons: string): RawBuilder<unknown> {
  return sql`
    SELECT l.person_id, l.mention_id, l.method, m.feed, m.source_key, m.role
    FROM ${sql.id(persons)} JOIN identity.link l USING (person_id) JOIN identity.mention m USING (mention_id)
    WHERE m.active`;
}

/**
 * Adds to the touched, and their mentions to the touched ones, whoever shares or shared a household with one of them:
 * the signs of a spouse, and the index of the adults for the children, come from there.
 */
export async function addHouseholds(tx: Transaction<DB>): Promise<void> {
  // Who is new to a household is touched already, so the members that the picture knows are enough.
  if (await isEmpty(tx, 'population.standing')) return;
  await sql`
    CREATE TEMPORARY TABLE housemate ON COMMIT DROP AS
    SELECT s.person_id FROM population.standing s
    JOIN (SELECT s.household_number FROM touched_person JOIN population.standing s USING (person_id)
          WHERE s.household_number IS NOT NULL
          UNION
          SELECT m.household_code FROM touched_mention t JOIN identity.mention m USING (mention_id)
          WHERE t.feed = 'household_register') h USING (household_number)
    WHERE NOT EXISTS (SELECT FROM touched_person t WHERE t.person_id = s.person_id)`.execute(tx);
  await sql`ANALYZE housemate`.execute(tx);
  await sql`INSERT INTO touched_mention ${mentionsOf('housemate')}`.execute(tx);
  await sql`INSERT INTO touched_person SELECT person_id FROM housemate`.execute(tx);
  await sql`ANALYZE touched_person, touched_mention`.execute(tx);
}

/**
 * A record can change where no mention tells it (a date, a status). Each version that ended is in the history, by the
 * delivery that ended it; new records have new mentions.
 */
async function addChangedRecords(tx: Transaction<DB>, updatedAt: string): Promise<void> {
  for (const { feed, deliveries } of await changedFeeds(tx, updatedAt)) {
    await sql`
      INSERT INTO touched_person
      SELECT DISTINCT l.person_id FROM ${sql.id('registry', `${feed}_history`)} h
      JOIN identity.mention m ON m.source_key = h.source_key AND m.feed = ${feed} JOIN identity.link l USING (mention_id)
      WHERE h.ended_by = ANY (${deliveries}::bigint[])
      ON CONFLICT DO NOTHING`.execute(tx);
  }
}

/** The feeds of which records changed or went since, with the deliveries that did it. */
async function changedFeeds(
  tx: Transaction<DB>,
  updatedAt: string,
): Promise<{ feed: string; deliveries: number[] }[]> {
  const { rows } = await sql<{ feed: string; deliveries: number[] }>`
    SELECT feed, array_agg(delivery_id) AS deliveries FROM ops.delivery
    WHERE status = 'applied' AND applied_at > ${updatedAt}::timestamptz AND changed > 0
    GROUP BY feed ORDER BY feed`.execute(tx);
  return rows;
}
