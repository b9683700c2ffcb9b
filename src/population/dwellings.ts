import { sql, type Transaction } from 'kysely';
import type { DB } from '../schema/database.ts';
import { isEmpty, loadUnindexed } from '../schema/warehouse/bulk.ts';
import { refreshStatistics } from './statistics.ts';
import { gatherStays } from './stays.ts';

/**
 * Brings dwellings, and who has to do with them, to what the records say now.
 *
 * A code (房屋编码) is a dwelling. An address without one is at the dwelling that has that address, if there is one
 * alone; at several, it is a dwelling of its own that says so (is_ambiguous). Codes that housing knows go before codes
 * that others wrote down, and these before codes that no record has any more.
 *
 * Before: temporary tables `touched_person` and `touched_mention` stand. After:
 * population.dwelling_person has a row for each stay of every touched person, and population.dwelling the dwellings.
 * Somebody else's stay is written only where it comes to another dwelling, because a code came to its address or
 * went. A dwelling is never deleted, its id never changes.
 */
export async function updateDwellings(tx: Transaction<DB>): Promise<void> {
  await gatherStays(tx);
  await describeCodes(tx);
  await settleAddresses(tx);
  await gatherUncoded(tx);
  if (await isEmpty(tx, 'population.dwelling'))
    await loadUnindexed(tx, 'population.dwelling', () => addDwellings(tx, { known: false }));
  else await bringDwellings(tx);
  await writeStays(tx);
}

/** After: temporary table `coded` has what the records say of each code: housing's word first, titles before leases. */
async function describeCodes(tx: Transaction<DB>): Promise<void> {
  await sql`
    CREATE TEMPORARY TABLE coded ON COMMIT DROP AS
    SELECT DISTINCT ON (s.code) s.code, s.division, k.street, k.number, k.room, s.address, k.address_key,
           first_value(s.floor_area) OVER (PARTITION BY s.code
             ORDER BY s.floor_area IS NULL, s.relation = 'owns' DESC, s.since DESC, s.source_key) AS floor_area,
           bool_or(s.relation <> 'lives') OVER (PARTITION BY s.code) AS known_to_housing
    FROM stay s LEFT JOIN place k USING (division, address)
    WHERE s.code IS NOT NULL
    ORDER BY s.code, k.address_key IS NULL, s.relation = 'owns' DESC, s.relation = 'lives', s.since DESC, s.source_key, s.mention_id`.execute(
    tx,
  );
  await sql`ANALYZE coded`.execute(tx);
}

/** After: temporary table `settled` says of each address which code is there, if it is one alone, or that it is several. */
async function settleAddresses(tx: Transaction<DB>): Promise<void> {
  await sql`
    CREATE TEMPORARY TABLE settled ON COMMIT DROP AS
    WITH option AS (
      SELECT address_key, code, CASE WHEN known_to_housing THEN 1 ELSE 2 END AS rank FROM coded
      WHERE address_key IS NOT NULL
      UNION ALL
      SELECT d.address_key, d.code, 3 FROM affected JOIN population.dwelling d USING (dwelling_id)
      WHERE d.address_key IS NOT NULL AND d.code IS NOT NULL AND NOT EXISTS (SELECT FROM coded c WHERE c.code = d.code)),
    ranked AS (SELECT *, min(rank) OVER (PARTITION BY address_key) AS best FROM option)
    SELECT address_key, CASE WHEN count(*) = 1 THEN min(code) END AS code
    FROM ranked WHERE rank = best GROUP BY address_key`.execute(tx);
  await sql`ANALYZE settled`.execute(tx);
}

/** A dwelling that was known by its address alone gets the code that turns up there, and keeps its id. */
async function bringDwellings(tx: Transaction<DB>): Promise<void> {
  await sql`
    UPDATE population.dwelling d SET code = s.code, is_ambiguous = false
    FROM settled s
    WHERE d.address_key = s.address_key AND d.code IS NULL AND s.code IS NOT NULL
      AND NOT EXISTS (SELECT FROM population.dwelling o WHERE o.code = s.code)`.execute(tx);
  await sql`
    UPDATE population.dwelling d
    SET division = c.division, street = c.street, number = c.number, room = c.room, address = c.address,
        address_key = c.address_key, floor_area = c.floor_area, known_to_housing = c.known_to_housing
    FROM coded c
    WHERE d.code = c.code
      AND (d.division, d.street, d.number, d.room, d.address, d.address_key, d.floor_area, d.known_to_housing)
          IS DISTINCT FROM
          (c.division, c.street, c.number, c.room, c.address, c.address_key, c.floor_area, c.known_to_housing)`.execute(
    tx,
  );
  await sql`
    UPDATE population.dwelling d SET known_to_housing = false
    FROM affected a
    WHERE d.dwelling_id = a.dwelling_id AND d.known_to_housing AND NOT EXISTS (SELECT FROM coded c WHERE c.code = d.code)`.execute(
    tx,
  );
  await sql`
    UPDATE population.dwelling d SET is_ambiguous = u.is_ambiguous
    FROM uncoded u
    WHERE d.address_key = u.address_key AND d.code IS NULL AND d.is_ambiguous <> u.is_ambiguous`.execute(tx);
  const added = await addDwellings(tx, { known: true });
  await refreshStatistics(tx, 'population.dwelling', added);
}

/** After: temporary table `uncoded` has every address at which somebody stays without a code, and that no single code has. */
async function gatherUncoded(tx: Transaction<DB>): Promise<void> {
  await sql`
    CREATE TEMPORARY TABLE uncoded ON COMMIT DROP AS
    SELECT k.address_key, min(s.division COLLATE "C") AS division, min(k.street) AS street, min(k.number) AS number,
           min(k.room) AS room, min(s.address COLLATE "C") AS address, t.address_key IS NOT NULL AS is_ambiguous
    FROM stay s JOIN place k USING (division, address) LEFT JOIN settled t USING (address_key)
    WHERE s.code IS NULL AND k.address_key IS NOT NULL AND t.code IS NULL
    GROUP BY k.address_key, t.address_key`.execute(tx);
  await sql`ANALYZE uncoded`.execute(tx);
}

/**
 * @param known whether there may be dwellings already; an empty table would be read again for every row that goes into it
 * @returns how many dwellings are new
 */
async function addDwellings(tx: Transaction<DB>, { known }: { readonly known: boolean }): Promise<number> {
  const coded = await sql`
    INSERT INTO population.dwelling (code, division, street, number, room, address, address_key, floor_area, known_to_housing, is_ambiguous)
    SELECT c.code, c.division, c.street, c.number, c.room, c.address, c.address_key, c.floor_area, c.known_to_housing, false
    FROM coded c
    ${known ? sql`WHERE NOT EXISTS (SELECT FROM population.dwelling d WHERE d.code = c.code)` : sql``}
    ORDER BY c.code`.execute(tx);
  const isUnknown = sql`
    WHERE NOT EXISTS (SELECT FROM population.dwelling d WHERE d.code IS NULL AND d.address_key = u.address_key)`;
  const uncoded = await sql`
    INSERT INTO population.dwelling (division, street, number, room, address, address_key, known_to_housing, is_ambiguous)
    SELECT u.division, u.street, u.number, u.room, u.address, u.address_key, false, u.is_ambiguous
    FROM uncoded u
    ${known ? isUnknown : sql``}
    ORDER BY u.address_key`.execute(tx);
  return Number(coded.numAffectedRows ?? 0) + Number(uncoded.numAffectedRows ?? 0);
}

async function writeStays(tx: Transaction<DB>): Promise<void> {
  // Most stays of persons that are not touched are where they were: nothing need be looked up for them.
  await sql`
    CREATE TEMPORARY TABLE housed ON COMMIT DROP AS
    WITH settled_stay AS (
      SELECT s.*, coalesce(s.code, t.code) AS settled_code, k.address_key
      FROM stay s LEFT JOIN place k USING (division, address) LEFT JOIN settled t USING (address_key)),
    at_home AS (
      SELECT s.*, d.dwelling_id FROM settled_stay s JOIN population.dwelling d ON d.code = s.settled_code
      UNION ALL
      SELECT s.*, d.dwelling_id FROM settled_stay s JOIN population.dwelling d ON d.address_key = s.address_key AND d.code IS NULL
      WHERE s.settled_code IS NULL)
    SELECT mention_id, dwelling_id, person_id, relation, feed, source_key, since, until
    FROM at_home WHERE stood_in IS DISTINCT FROM dwelling_id`.execute(tx);
  await sql`ANALYZE housed (mention_id)`.execute(tx);
  if (await isEmpty(tx, 'population.dwelling_person')) {
    await loadUnindexed(tx, 'population.dwelling_person', () => addStays(tx));
    return;
  }
  await sql`
    DELETE FROM population.dwelling_person p USING touched_person t
    WHERE p.person_id = t.person_id AND NOT EXISTS (SELECT FROM housed h WHERE h.mention_id = p.mention_id)`.execute(
    tx,
  );
  await sql`
    UPDATE population.dwelling_person p
    SET dwelling_id = h.dwelling_id, person_id = h.person_id, relation = h.relation, since = h.since, until = h.until
    FROM housed h
    WHERE p.mention_id = h.mention_id
      AND (p.dwelling_id, p.person_id, p.relation, p.since, p.until)
          IS DISTINCT FROM (h.dwelling_id, h.person_id, h.relation, h.since, h.until)`.execute(tx);
  await refreshStatistics(tx, 'population.dwelling_person', await addStays(tx));
}

/** @returns how many are new */
async function addStays(tx: Transaction<DB>): Promise<number> {
  const { numAffectedRows } = await sql`
    INSERT INTO population.dwelling_person (mention_id, dwelling_id, person_id, relation, feed, source_key, since, until)
    SELECT mention_id, dwelling_id, person_id, relation, feed, source_key, since, until FROM housed
    ORDER BY person_id, mention_id
    ON CONFLICT DO NOTHING`.execute(tx);
  return Number(numAffectedRows ?? 0);
}
