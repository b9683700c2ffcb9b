import { sql, type Transaction } from 'kysely';
import type { DB } from '../schema/database.ts';
import { connectGroups } from './components.ts';

/**
 * Gathers what humans have decided and not lifted.
 *
 * After: temporary table `bound` groups the mentions that are the same person by a human's word, also through
 * others, and through records that have gone; `bound_number` has the document numbers of each group, those of now
 * and those that its mentions are linked by; `apart` has each two mentions, in both orders, that are different
 * persons: those decided upon, and whoever is the same as one of them.
 */
export async function gatherVerdicts(tx: Transaction<DB>): Promise<void> {
  await sql`
    CREATE TEMPORARY TABLE tie ON COMMIT DROP AS
    SELECT left_mention AS mention_id, right_mention AS other_id FROM identity.decision
    WHERE verdict = 'same' AND lifted_at IS NULL`.execute(tx);
  await sql`
    CREATE TEMPORARY TABLE bound ON COMMIT DROP AS
    SELECT mention_id, mention_id AS group_id FROM tie UNION SELECT other_id, other_id FROM tie`.execute(tx);
  await connectGroups(tx, 'bound', 'tie');
  await sql`
    CREATE TEMPORARY TABLE bound_number ON COMMIT DROP AS
    SELECT b.group_id, m.id_number FROM bound b JOIN identity.mention m USING (mention_id) WHERE m.id_number IS NOT NULL
    UNION
    SELECT b.group_id, l.id_number FROM bound b JOIN identity.link l USING (mention_id) WHERE l.id_number IS NOT NULL`.execute(
    tx,
  );
  await sql`
    CREATE TEMPORARY TABLE apart ON COMMIT DROP AS
    WITH decided AS (
      SELECT left_mention AS mention_id, right_mention AS other_id FROM identity.decision
      WHERE verdict = 'different' AND lifted_at IS NULL),
    spread AS (
      SELECT coalesce(l.mention_id, d.mention_id) AS mention_id, coalesce(r.mention_id, d.other_id) AS other_id
      FROM decided d
      LEFT JOIN bound own ON own.mention_id = d.mention_id LEFT JOIN bound l ON l.group_id = own.group_id
      LEFT JOIN bound other ON other.mention_id = d.other_id LEFT JOIN bound r ON r.group_id = other.group_id)
    SELECT mention_id, other_id FROM spread UNION SELECT other_id, mention_id FROM spread`.execute(tx);
  await sql`ANALYZE bound, bound_number, apart`.execute(tx);
}
