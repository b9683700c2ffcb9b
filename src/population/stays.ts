import { type RawBuilder, sql, type Transaction } from 'kysely';
import type { DB } from '../schema/database.ts';
import { placeAddresses } from './places.ts';

/** The feeds that put persons into dwellings. */
const DWELLING_FEEDS = sql`'household_register', 'residence_registration', 'housing_lease', 'housing_ownership'`;

/**
 * Gathers what has to be looked at together: the stays of touched persons, and those at the dwellings that these
 * were or come to, by code or by address, whosever they are.
 *
 * Before: `touched_person` and `touched_mention`. After: temporary table `stay` has these stays as the records tell them now, a row a
 * mention; `place` their addresses taken apart; `affected` the ids of the dwellings.
 */
export async function gatherStays(tx: Transaction<DB>): Promise<void> {
  await sql`
    CREATE TEMPORARY TABLE place (
      division text COLLATE "C", address text COLLATE "C", street text, number text, room text,
      address_key text COLLATE "C", PRIMARY KEY (division, address)) ON COMMIT DROP`.execute(tx);
  await sql`
    CREATE TEMPORARY TABLE stay ON COMMIT DROP AS
    ${staysOf(
      sql`(SELECT * FROM touched_mention WHERE feed IN (${DWELLING_FEEDS})) l JOIN identity.mention m USING (mention_id)`,
      sql`NULL::bigint`,
    )}`.execute(tx);
  await sql`ALTER TABLE stay ADD PRIMARY KEY (mention_id)`.execute(tx);
  await sql`
    CREATE TEMPORARY TABLE affected ON COMMIT DROP AS
    SELECT DISTINCT dwelling_id FROM touched_person JOIN population.dwelling_person USING (person_id)`.execute(
    tx,
  );
  await sql`ALTER TABLE affected ADD PRIMARY KEY (dwelling_id)`.execute(tx);
  for (let added = 1; added > 0; added = await addStaysOfAffected(tx)) {
    await sql`ANALYZE stay, affected`.execute(tx);
    await placeAddresses(tx);
    await addAffected(tx);
  }
}

/**
 * Who stays where by which record: its person, its relation to the dwelling, the time, the code and the address.
 *
 * @param stoodIn where the stay of a person that is not touched stands now; nothing else can change of it
 */
function staysOf(mentions: RawBuilder<unknown>, stoodIn: RawBuilder<unknown>): RawBuilder<unknown> {
  return sql`
    SELECT m.mention_id, l.person_id, m.feed, m.source_key,
           CASE m.feed WHEN 'household_register' THEN 'registered' WHEN 'residence_registration' THEN 'lives'
                       WHEN 'housing_ownership' THEN 'owns'
                       ELSE CASE m.role WHEN 'landlord' THEN 'lets' ELSE 'leases' END END AS relation,
           coalesce(h.moved_in_on, r.registered_on, e.starts_on, o.registered_on) AS since,
           -- When a lease was cancelled, nobody says; the record has not changed since.
           CASE WHEN e.status = '注销' THEN least(e.ends_on, (e.updated_at AT TIME ZONE 'Asia/Shanghai')::date)
                ELSE coalesce(e.ends_on, r.valid_until) END AS until,
           -- A lease puts its tenant at the address; the landlord lets the same.
           coalesce(m.dwelling_code, e.dwelling_code) AS code, coalesce(m.division, e.division) AS division,
           coalesce(m.address, e.dwelling_address) AS address,
           coalesce(o.floor_area, e.floor_area) AS floor_area, ${stoodIn} AS stood_in
    FROM ${mentions}
    LEFT JOIN registry.household_register h ON m.feed = 'household_register' AND h.source_key = m.source_key
    LEFT JOIN registry.residence_registration r ON m.feed = 'residence_registration' AND r.source_key = m.source_key
    LEFT JOIN registry.housing_lease e ON m.feed = 'housing_lease' AND e.source_key = m.source_key
    LEFT JOIN registry.housing_ownership o ON m.feed = 'housing_ownership' AND o.source_key = m.source_key
    WHERE m.active AND m.feed IN (${DWELLING_FEEDS}) AND (m.feed <> 'household_register' OR h.status = '1')`;
}

/** Dwellings of the stays' codes and addresses, and those that share an address with an affected one. */
async function addAffected(tx: Transaction<DB>): Promise<void> {
  await sql`
    INSERT INTO affected
    WITH reached AS (
      SELECT d.dwelling_id, d.address_key FROM affected JOIN population.dwelling d USING (dwelling_id)
      UNION
      SELECT d.dwelling_id, d.address_key FROM stay s JOIN population.dwelling d USING (code)),
    address AS (
      SELECT address_key FROM reached
      UNION
      SELECT k.address_key FROM stay s JOIN place k USING (division, address))
    SELECT dwelling_id FROM reached
    UNION
    SELECT d.dwelling_id FROM address JOIN population.dwelling d USING (address_key)
    ON CONFLICT DO NOTHING`.execute(tx);
}

/** @returns how many were added */
async function addStaysOfAffected(tx: Transaction<DB>): Promise<number> {
  const { numAffectedRows } = await sql`
    INSERT INTO stay
    ${staysOf(
      sql`affected JOIN population.dwelling_person p USING (dwelling_id)
      JOIN identity.mention m USING (mention_id) JOIN identity.link l USING (mention_id)`,
      sql`p.dwelling_id`,
    )}
    ON CONFLICT DO NOTHING`.execute(tx);
  return Number(numAffectedRows ?? 0);
}
