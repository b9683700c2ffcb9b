import { type RawBuilder, sql, type Transaction } from 'kysely';
import type { DB } from '../schema/database.ts';
import { isEmpty, loadUnindexed } from '../schema/warehouse/bulk.ts';
import { refreshStatistics } from './statistics.ts';

// Relations to the head of household, GB/T 4761. 28 and 38 are children-in-law; 53 to 56 are the spouse's parents,
// as the head's parents-in-law; 80, 98 and 99 tell of no kinship.
const HEAD = sql`('01', '02')`;
const SPOUSE = sql`('10', '11', '12')`;
const CHILD = sql`('20', '21', '22', '23', '24', '25', '26', '27', '29', '30', '31', '32', '33', '34', '35', '36', '37', '39')`;
const PARENT = sql`('50', '51', '52', '57', '58', '59')`;
const PARENT_OF_SPOUSE = sql`('53', '54', '55', '56')`;
const NO_KIN = sql`('80', '98', '99')`;

/** Whether a relation to the head of household is that of the head. */
export function isHead(relation: RawBuilder<unknown>): RawBuilder<boolean> {
  return sql`${relation} IN ${HEAD}`;
}

/**
 * Brings the relations between persons to what the records say now: of households, marriages in force, births and
 * guardians.
 *
 * Before: `touched_person` and `touched_mention` stand; population.household_member and population.person are those of
 * tonight. After: population.relation has every relation of a touched person, from both sides: `kind` is what the other
 * person is to the person, `source` the feed that says so. A marriage ends with a divorce and with a death.
 */
export async function updateRelations(tx: Transaction<DB>): Promise<void> {
  await gatherCompanions(tx);
  await sql`
    CREATE TEMPORARY TABLE relation_draft ON COMMIT DROP AS
    ${relationsInHouseholds} UNION ${relationsInMarriage} UNION ${relationsInRecords}`.execute(tx);
  await sql`ANALYZE relation_draft (person_id, other_person_id)`.execute(tx);
  if (await isEmpty(tx, 'population.relation')) {
    await loadUnindexed(tx, 'population.relation', () => addRelations(tx));
    return;
  }
  await removeRelations(tx);
  await refreshStatistics(tx, 'population.relation', await addRelations(tx));
}

async function removeRelations(tx: Transaction<DB>): Promise<void> {
  await sql`
    CREATE TEMPORARY TABLE relation_gone ON COMMIT DROP AS
    SELECT r.* FROM touched_person JOIN population.relation r USING (person_id)
    WHERE NOT EXISTS (
      SELECT FROM relation_draft d
      WHERE d.person_id = r.person_id AND d.other_person_id = r.other_person_id AND d.kind = r.kind AND d.source = r.source)`.execute(
    tx,
  );
  await sql`ANALYZE relation_gone`.execute(tx);
  await sql`
    DELETE FROM population.relation r USING (${fromBothSides(sql`relation_gone`)}) g
    WHERE r.person_id = g.person_id AND r.other_person_id = g.other_person_id AND r.kind = g.kind AND r.source = g.source`.execute(
    tx,
  );
}

/**
 * Not by a look for what is there: a table that was empty would be read again for every row that goes into it.
 *
 * @returns how many
 */
async function addRelations(tx: Transaction<DB>): Promise<number> {
  const { numAffectedRows } = await sql`
    INSERT INTO population.relation (person_id, other_person_id, kind, source)
    SELECT * FROM (${fromBothSides(sql`relation_draft`)}) r
    ORDER BY person_id, other_person_id, kind, source
    ON CONFLICT DO NOTHING`.execute(tx);
  return Number(numAffectedRows ?? 0);
}

/** Of two persons who are both touched the relations are there from both sides already. */
function fromBothSides(relations: RawBuilder<unknown>): RawBuilder<unknown> {
  return sql`
    SELECT person_id, other_person_id, kind, source FROM ${relations}
    UNION ALL
    SELECT other_person_id, person_id,
           CASE kind WHEN 'parent' THEN 'child' WHEN 'child' THEN 'parent'
                     WHEN 'guardian' THEN 'ward' WHEN 'ward' THEN 'guardian' ELSE kind END, source
    FROM ${relations} r
    WHERE NOT EXISTS (SELECT FROM touched_person t WHERE t.person_id = r.other_person_id)`;
}

/** What two members of a household are to each other follows from what they are to its head. */
const relationsInHouseholds = sql`
  SELECT person_id, other_person_id, kind, 'household_register' AS source
  FROM (
    SELECT own.person_id, other.person_id AS other_person_id,
           CASE WHEN (own.relation IN ${CHILD} AND (other.relation IN ${HEAD} OR other.relation IN ${SPOUSE}))
                  OR (own.relation IN ${HEAD} AND other.relation IN ${PARENT})
                  OR (own.relation IN ${SPOUSE} AND other.relation IN ${PARENT_OF_SPOUSE}) THEN 'parent'
                WHEN ((own.relation IN ${HEAD} OR own.relation IN ${SPOUSE}) AND other.relation IN ${CHILD})
                  OR (own.relation IN ${PARENT} AND other.relation IN ${HEAD})
                  OR (own.relation IN ${PARENT_OF_SPOUSE} AND other.relation IN ${SPOUSE}) THEN 'child'
                WHEN (own.relation IN ${HEAD} AND other.relation IN ${SPOUSE})
                  OR (own.relation IN ${SPOUSE} AND other.relation IN ${HEAD}) THEN 'spouse'
                WHEN (own.relation IN ${HEAD} AND other.relation NOT IN ${HEAD} AND other.relation NOT IN ${NO_KIN})
                  OR (other.relation IN ${HEAD} AND own.relation NOT IN ${HEAD} AND own.relation NOT IN ${NO_KIN})
                THEN 'relative' END AS kind
    FROM touched_person
    JOIN population.household_member own USING (person_id)
    JOIN population.household_member other USING (household_code)
    WHERE other.person_id <> own.person_id) related
  WHERE kind IS NOT NULL`;

/** The last registration of a couple counts, whichever of the two was husband in it. */
const relationsInMarriage = sql`
  SELECT c.person_id, c.other_person_id, 'spouse', c.feed
  FROM (
    SELECT DISTINCT ON (n.person_id, n.other_person_id) n.person_id, n.other_person_id, n.feed, w.event
    FROM companion n JOIN registry.marriage_registration w USING (source_key)
    WHERE n.feed = 'marriage_registration'
    ORDER BY n.person_id, n.other_person_id, w.registered_on DESC, w.event = '离婚' DESC) c
  JOIN population.person p ON p.person_id = c.person_id
  JOIN population.person o ON o.person_id = c.other_person_id
  WHERE c.event = '结婚' AND p.death_date IS NULL AND o.death_date IS NULL`;

/** A certificate names the child with its parents, an enrolment the pupil with a guardian. */
const relationsInRecords = sql`
  SELECT n.person_id, n.other_person_id, k.kind, n.feed
  FROM companion n
  JOIN (VALUES ('birth_certificate', 'child', 'mother', 'parent'), ('birth_certificate', 'child', 'father', 'parent'),
               ('birth_certificate', 'mother', 'child', 'child'), ('birth_certificate', 'father', 'child', 'child'),
               ('school_enrolment', 'subject', 'guardian', 'guardian'), ('school_enrolment', 'guardian', 'subject', 'ward')
       ) k (feed, role, other_role, kind) USING (feed, role, other_role)`;

/** After: temporary table `companion` has whom the records of families name together with a touched person. */
async function gatherCompanions(tx: Transaction<DB>): Promise<void> {
  const feeds = sql`('marriage_registration', 'birth_certificate', 'school_enrolment')`;
  await sql`
    CREATE TEMPORARY TABLE companion ON COMMIT DROP AS
    SELECT n.person_id, l.person_id AS other_person_id, n.feed, n.source_key, n.role, o.role AS other_role
    FROM touched_mention n
    JOIN identity.mention o ON o.source_key = n.source_key AND o.feed = n.feed AND o.role <> n.role
    JOIN identity.link l ON l.mention_id = o.mention_id
    WHERE n.feed IN ${feeds} AND o.feed IN ${feeds} AND o.active AND l.person_id <> n.person_id`.execute(tx);
  await sql`ANALYZE companion`.execute(tx);
}
