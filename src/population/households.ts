import { sql, type Transaction } from 'kysely';
import type { DB } from '../schema/database.ts';
import { isEmpty, loadUnindexed } from '../schema/warehouse/bulk.ts';
import { bringTable } from './bring.ts';
import { isHead, updateRelations } from './relations.ts';

/**
 * Brings households and family relations to what the records say now.
 *
 * Before: temporary tables `touched_person` and `touched_mention` stand, population.person is that of tonight. After:
 * population.household_member has the households (户号) in which the touched persons are registered, with the relation
 * to the head (GB/T 4761); population.household the households that they are in or have left; population.relation
 * the relations between touched persons and anybody. Rows are written only where they differ.
 */
export async function updateHouseholds(tx: Transaction<DB>): Promise<void> {
  await gatherMembers(tx);
  await sql`
    CREATE TEMPORARY TABLE affected_household ON COMMIT DROP AS
    SELECT household_code FROM member_draft
    UNION
    SELECT household_code FROM touched_person JOIN population.household_member USING (person_id)`.execute(tx);
  await sql`ANALYZE affected_household`.execute(tx);
  await bringTable(tx, {
    table: 'population.household_member',
    draft: 'member_draft',
    persons: 'touched_person',
    key: ['household_code'],
    values: ['relation'],
  });
  await writeHouseholds(tx);
  await updateRelations(tx);
}

/** A person who stands twice in one household has the relation that was written last. */
async function gatherMembers(tx: Transaction<DB>): Promise<void> {
  await sql`
    CREATE TEMPORARY TABLE member_draft ON COMMIT DROP AS
    SELECT DISTINCT ON (m.person_id, h.household_number) m.person_id, h.household_number AS household_code, h.kinship AS relation
    FROM touched_mention m JOIN registry.household_register h USING (source_key)
    WHERE m.feed = 'household_register' AND h.status = '1'
    ORDER BY m.person_id, h.household_number, h.updated_at DESC, h.source_key`.execute(tx);
  await sql`ANALYZE member_draft`.execute(tx);
}

/** A household whose head is gone, or that has several, has no head_person_id; without members it is none. */
async function writeHouseholds(tx: Transaction<DB>): Promise<void> {
  await sql`
    CREATE TEMPORARY TABLE household_draft ON COMMIT DROP AS
    SELECT a.household_code, coalesce(min(p.registered_division) FILTER (WHERE head), min(p.registered_division)) AS division,
           CASE WHEN count(*) FILTER (WHERE head) = 1 THEN min(m.person_id) FILTER (WHERE head) END AS head_person_id,
           count(*) FILTER (WHERE head)::integer AS heads, count(*)::integer AS members
    FROM affected_household a
    JOIN (SELECT *, ${isHead(sql`relation`)} AS head FROM population.household_member) m USING (household_code)
    LEFT JOIN population.person p USING (person_id)
    GROUP BY a.household_code`.execute(tx);
  if (await isEmpty(tx, 'population.household'))
    return loadUnindexed(tx, 'population.household', () => insertHouseholds(tx));
  await sql`ANALYZE household_draft`.execute(tx);
  await sql`
    DELETE FROM population.household h USING affected_household a
    WHERE h.household_code = a.household_code
      AND NOT EXISTS (SELECT FROM household_draft d WHERE d.household_code = a.household_code)`.execute(tx);
  await sql`
    UPDATE population.household h
    SET division = d.division, head_person_id = d.head_person_id, heads = d.heads, members = d.members
    FROM household_draft d
    WHERE h.household_code = d.household_code
      AND (h.division, h.head_person_id, h.heads, h.members)
          IS DISTINCT FROM (d.division, d.head_person_id, d.heads, d.members)`.execute(tx);
  await insertHouseholds(tx);
}

async function insertHouseholds(tx: Transaction<DB>): Promise<void> {
  await sql`
    INSERT INTO population.household (household_code, division, head_person_id, heads, members)
    SELECT household_code, division, head_person_id, heads, members FROM household_draft ORDER BY household_code
    ON CONFLICT DO NOTHING`.execute(tx);
}
