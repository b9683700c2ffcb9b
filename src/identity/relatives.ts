import { type RawBuilder, sql, type Transaction } from 'kysely';
import { CONTRACTS } from '../schema/contracts/index.ts';
import type { DB } from '../schema/database.ts';

/** A household with more members than this is a dormitory or an institution: its members are no family. */
const LARGEST_FAMILY = 30;

/**
 * Brings the relatives of mentions without a document number to what the records say now.
 *
 * Such a mention may stand beside family that has a number: the guardian beside the pupil, the father beside the
 * mother. The mentions of that person tell who else is of the family: the members of the same household, and whoever
 * other records name as kin. One of these may be whom the mention means.
 *
 * Before: `changed` stands, `cluster` labels the mentions with a number that are looked at. After: temporary table
 * `family_asked` has the mentions without a number whose family may have changed; identity.relative has, for each of
 * them, the mentions with a number of its family. It depends on the records alone, not on the order in which they came.
 *
 * @param isFirst nothing is linked yet: every mention is asked
 */
export async function bringRelatives(tx: Transaction<DB>, isFirst: boolean): Promise<void> {
  await sql`
    CREATE TEMPORARY TABLE kin_role ON COMMIT DROP AS
    SELECT * FROM unnest(${kinRoles('feed')}::text[], ${kinRoles('role')}::text[], ${kinRoles('kin')}::text[])
                  AS k (feed, role, kin_role)`.execute(tx);
  await askFamilies(tx, isFirst);
  const { rows } = await sql`SELECT FROM family_asked LIMIT 1`.execute(tx);
  if (rows.length === 0) return;
  await findRelatives(tx, isFirst);
  if (!isFirst) await askBrothersAndSisters(tx);
  await sql`
    DELETE FROM identity.relative r
    WHERE EXISTS (SELECT FROM family_asked a WHERE a.mention_id = r.mention_id AND NOT a.is_rival)
      AND NOT EXISTS (SELECT FROM relative_draft d WHERE d.mention_id = r.mention_id AND d.other_id = r.other_id)`.execute(
    tx,
  );
  await sql`INSERT INTO identity.relative SELECT mention_id, other_id FROM relative_draft ON CONFLICT DO NOTHING`.execute(
    tx,
  );
  if (isFirst) await sql`ANALYZE identity.relative`.execute(tx);
}

/** One column of the table of kin: in which role a feed names family of whom it names in another. */
function kinRoles(column: 'feed' | 'role' | 'kin'): string[] {
  return CONTRACTS.flatMap(({ feed, mentions }) =>
    mentions.flatMap(({ role, kin = [] }) => kin.map((other) => ({ feed, role, kin: other })[column])),
  );
}

/**
 * After: `family_asked` has every mention that changed, that stands beside a person who is looked at, or who has
 * somebody new in the household, and that had somebody for a relative who changed. Those that have a number, or stand
 * no more, are among them: they have relatives no longer.
 */
async function askFamilies(tx: Transaction<DB>, isFirst: boolean): Promise<void> {
  if (isFirst) {
    await sql`
      CREATE TEMPORARY TABLE family_asked ON COMMIT DROP AS
      SELECT mention_id, false AS is_rival FROM changed
      WHERE id_number IS NULL AND (feed, role) IN (SELECT feed, role FROM kin_role)`.execute(tx);
  } else {
    // Each household and each record is looked up by itself: whatever the planner thinks, they are few.
    await sql`
      CREATE TEMPORARY TABLE family_asked ON COMMIT DROP AS
      WITH looked_at AS (
        SELECT mention_id, feed, source_key, role FROM changed UNION SELECT mention_id, feed, source_key, role FROM scope),
      housemate AS (
        SELECT m.mention_id
        FROM changed n
        CROSS JOIN LATERAL (
          SELECT m.mention_id FROM identity.mention m
          WHERE m.household_code = n.household_code AND m.feed = n.feed AND m.active OFFSET 0) m
        WHERE n.active)
      SELECT mention_id, false AS is_rival FROM changed
      UNION
      SELECT r.mention_id, false
      FROM (SELECT mention_id FROM looked_at UNION SELECT mention_id FROM housemate) l
      JOIN identity.relative r ON r.other_id = l.mention_id
      UNION
      SELECT o.mention_id, false
      FROM looked_at l JOIN kin_role k ON k.feed = l.feed AND k.role = l.role
      CROSS JOIN LATERAL (
        SELECT o.mention_id FROM identity.mention o
        WHERE o.source_key = l.source_key AND o.feed = l.feed AND o.role = k.kin_role AND o.id_number IS NULL OFFSET 0) o`.execute(
      tx,
    );
  }
  await sql`ANALYZE family_asked`.execute(tx);
}

/**
 * Two children without numbers may claim the same person: who has a relative in common with one that is asked, or had,
 * is asked as well.
 */
async function askBrothersAndSisters(tx: Transaction<DB>): Promise<void> {
  await sql`
    INSERT INTO family_asked
    SELECT DISTINCT n.mention_id, true
    FROM (SELECT r.mention_id, r.other_id FROM identity.relative r JOIN family_asked USING (mention_id)
          UNION
          SELECT mention_id, other_id FROM relative_draft) own
    JOIN identity.relative n USING (other_id)
    WHERE NOT EXISTS (SELECT FROM family_asked a WHERE a.mention_id = n.mention_id)`.execute(tx);
}

/** After: temporary table `relative_draft` has the relatives of `family_asked`. */
async function findRelatives(tx: Transaction<DB>, isFirst: boolean): Promise<void> {
  // When nothing is linked yet, who is not in `cluster` has a plain number, which is the label.
  const elsewhere = isFirst ? sql`o.id_number` : sql`'person ' || l.person_id`;
  await sql`
    CREATE TEMPORARY TABLE companion ON COMMIT DROP AS
    SELECT a.mention_id, coalesce(c.label, ${elsewhere}) AS node
    FROM family_asked a JOIN identity.mention m USING (mention_id)
    JOIN kin_role k ON k.feed = m.feed AND k.role = m.role
    JOIN identity.mention o ON o.source_key = m.source_key AND o.feed = m.feed AND o.role = k.kin_role
    LEFT JOIN cluster c ON c.mention_id = o.mention_id
    LEFT JOIN identity.link l ON l.mention_id = o.mention_id
    WHERE m.active AND m.id_number IS NULL AND o.active AND o.id_number IS NOT NULL
      AND coalesce(c.method, l.method, '') <> 'name_conflict'`.execute(tx);
  await sql`ANALYZE companion`.execute(tx);
  const members = isFirst ? firstMembers : membersOf(sql`companion`);
  await sql`
    CREATE TEMPORARY TABLE family_record ON COMMIT DROP AS
    SELECT DISTINCT k.mention_id AS asked_id, m.mention_id, m.feed, m.source_key, m.role, m.household_code
    FROM companion k JOIN (${members}) member USING (node)
    JOIN identity.mention m ON m.mention_id = member.mention_id`.execute(tx);
  await sql`ANALYZE family_record`.execute(tx);
  await sql`
    CREATE TEMPORARY TABLE relative_draft ON COMMIT DROP AS
    WITH household AS (SELECT DISTINCT feed, household_code FROM family_record WHERE household_code IS NOT NULL),
    housemate AS (
      SELECT h.feed, h.household_code, m.mention_id, m.id_number, count(*) OVER (PARTITION BY h.feed, h.household_code) AS members
      FROM household h JOIN identity.mention m ON m.household_code = h.household_code AND m.feed = h.feed
      WHERE m.active)
    SELECT r.asked_id AS mention_id, h.mention_id AS other_id
    FROM family_record r JOIN housemate h ON h.household_code = r.household_code AND h.feed = r.feed
    WHERE h.id_number IS NOT NULL AND h.members <= ${LARGEST_FAMILY}
    UNION
    SELECT r.asked_id, m.mention_id
    FROM family_record r JOIN kin_role k ON k.feed = r.feed AND k.role = r.role
    JOIN identity.mention m ON m.source_key = r.source_key AND m.feed = r.feed AND m.role = k.kin_role
    WHERE m.active AND m.id_number IS NOT NULL`.execute(tx);
  await sql`ANALYZE relative_draft`.execute(tx);
}

const firstMembers = sql`
  SELECT c.label AS node, c.mention_id FROM cluster c WHERE c.label IN (SELECT node FROM companion)
  UNION ALL
  SELECT m.id_number, m.mention_id FROM identity.mention m
  WHERE m.active AND m.id_number IN (SELECT node FROM companion)
    AND NOT EXISTS (SELECT FROM cluster c WHERE c.mention_id = m.mention_id)`;

/**
 * The mentions with a document number of persons, as rows (node, mention_id, person_id).
 *
 * @param nodes a table with `node`: a label of `cluster`, or `person <id>` for a person outside it
 */
export function membersOf(nodes: RawBuilder<unknown>): RawBuilder<unknown> {
  return sql`
    SELECT c.label AS node, c.mention_id, c.person_id
    FROM cluster c WHERE c.label IN (SELECT node FROM ${nodes})
    UNION ALL
    SELECT n.node, l.mention_id, l.person_id
    FROM (SELECT DISTINCT node, substr(node, 8)::bigint AS person_id FROM ${nodes} WHERE node LIKE 'person %') n
    JOIN identity.link l USING (person_id)
    WHERE l.id_number IS NOT NULL AND l.method <> 'name_conflict'
      AND NOT EXISTS (SELECT FROM cluster c WHERE c.mention_id = l.mention_id)`;
}
