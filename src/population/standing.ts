import { sql, type Transaction } from 'kysely';
import type { DB } from '../schema/database.ts';
import { bringTable } from './bring.ts';
import type { PictureDay } from './sign-kinds.ts';

/**
 * Brings population.standing for the touched: what the registers say of a living person, as far as residence rests
 * on it. The dead (a death registration, or a household register that was cancelled on death) have none.
 *
 * Before: `touched_mention`, and the profiles are those of tonight. Somebody has left when the last word of the village reports is that they live outside the county.
 *
 * After: temporary table `new_standing` holds the same for the touched; `touched_death` has the dead of them.
 */
export async function updateStanding(tx: Transaction<DB>, { settings }: PictureDay): Promise<void> {
  await findDeaths(tx);
  await sql`
    CREATE TEMPORARY TABLE new_standing ON COMMIT DROP AS
    WITH registered AS (
      SELECT DISTINCT ON (m.person_id) m.person_id, r.source_key, r.registered_division, r.household_number,
             r.moved_in_on
      FROM touched_mention m JOIN registry.household_register r USING (source_key)
      WHERE m.feed = 'household_register' AND r.status = '1'
      ORDER BY m.person_id, r.updated_at DESC, r.source_key),
    moved AS (
      SELECT DISTINCT ON (m.person_id) m.person_id, r.source_key, r.event_on, r.event, r.destination
      FROM touched_mention m JOIN registry.village_report r USING (source_key)
      WHERE m.feed = 'village_report' AND r.event IN ('返乡', '迁入', '外出', '迁出')
      ORDER BY m.person_id, r.event_on DESC, r.source_key DESC),
    gone AS (
      SELECT person_id, source_key, event_on FROM moved
      WHERE event IN ('外出', '迁出') AND coalesce(destination, '') NOT LIKE ${`${settings.county}%`})
    SELECT k.person_id, k.birth_date, coalesce(k.sex, '9') AS sex,
           r.source_key AS registered_key, r.registered_division, r.household_number, r.moved_in_on,
           g.event_on AS left_on, g.source_key AS left_key
    FROM touched_person JOIN population.person k USING (person_id)
    LEFT JOIN registered r USING (person_id)
    LEFT JOIN gone g USING (person_id)
    WHERE NOT EXISTS (SELECT FROM touched_death d WHERE d.person_id = k.person_id)`.execute(tx);
  await sql`ANALYZE new_standing (person_id)`.execute(tx);
  await bringTable(tx, {
    table: 'population.standing',
    draft: 'new_standing',
    persons: 'touched_person',
    key: [],
    values: [
      'birth_date',
      'sex',
      'registered_key',
      'registered_division',
      'household_number',
      'moved_in_on',
      'left_on',
      'left_key',
    ],
  });
}

/** After: population.death has the dead of the touched, and `touched_death` the first day that a record gives for each. */
async function findDeaths(tx: Transaction<DB>): Promise<void> {
  await sql`
    CREATE TEMPORARY TABLE new_death ON COMMIT DROP AS
    WITH registered AS (
      SELECT DISTINCT ON (m.person_id) m.person_id, r.died_on, r.source_key AS death_record
      FROM touched_mention m JOIN registry.death_registration r USING (source_key)
      WHERE m.feed = 'death_registration'
      ORDER BY m.person_id, r.died_on, r.source_key),
    cancelled AS (
      SELECT DISTINCT ON (m.person_id) m.person_id, r.cancelled_on, r.source_key AS household_record
      FROM touched_mention m JOIN registry.household_register r USING (source_key)
      WHERE m.feed = 'household_register' AND r.status = '3'
      ORDER BY m.person_id, r.cancelled_on, r.source_key)
    SELECT * FROM registered FULL JOIN cancelled USING (person_id)`.execute(tx);
  await sql`ANALYZE new_death (person_id)`.execute(tx);
  await bringTable(tx, {
    table: 'population.death',
    draft: 'new_death',
    persons: 'touched_person',
    key: [],
    values: ['died_on', 'death_record', 'cancelled_on', 'household_record'],
  });
  await sql`
    CREATE TEMPORARY TABLE touched_death ON COMMIT DROP AS
    SELECT person_id, least(died_on, cancelled_on) AS died_on FROM new_death`.execute(tx);
  await sql`ANALYZE touched_death`.execute(tx);
}
