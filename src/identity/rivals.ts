import { sql, type Transaction } from 'kysely';
import type { DB } from '../schema/database.ts';

/**
 * Finds with whom a group of unresolved mentions may not share a person: other people of the same records, twins,
 * those whom a law of the model sets apart, and those that a human set apart.
 *
 * Before: `mate`, `member`, `edge`, `evidence`, `apart`, `cluster` and `unresolved` stand; `unresolved` has every
 * mention that a law sets apart from one of it (closure.ts). After: temporary table `rival` has
 * each group with such mentions, `barred` each group with the nodes that hold one of them, or that a law sets apart
 * from it.
 */
export async function findRivals(tx: Transaction<DB>): Promise<void> {
  await findTwins(tx);
  await sql`
    CREATE TEMPORARY TABLE rival ON COMMIT DROP AS
    SELECT g.group_id, o.mention_id
    FROM mate g JOIN identity.mention o ON o.source_key = g.source_key AND o.feed = g.feed AND o.mention_id <> g.mention_id
    WHERE o.active AND NOT EXISTS (SELECT FROM mate k WHERE k.mention_id = o.mention_id AND k.unit = g.unit)
    UNION
    SELECT g.group_id, a.other_id FROM apart a JOIN mate g USING (mention_id)
    UNION
    SELECT g.group_id, e.other_id
    FROM (SELECT mention_id, other_id, is_forbidden FROM edge
          UNION ALL SELECT other_id, mention_id, is_forbidden FROM edge) e JOIN mate g USING (mention_id)
    WHERE e.is_forbidden
    UNION
    SELECT g.group_id, t.other_id FROM twin t JOIN mate g USING (mention_id)
    WHERE NOT EXISTS (SELECT FROM mate k WHERE k.mention_id = t.other_id AND k.unit = g.unit)`.execute(tx);
  await sql`ANALYZE rival`.execute(tx);
  // A mention without a number that is not asked again stays with its person: it bars it.
  await sql`
    CREATE TEMPORARY TABLE barred ON COMMIT DROP AS
    SELECT r.group_id, m.node FROM rival r JOIN member m USING (mention_id)
    UNION
    SELECT r.group_id, m.node
    FROM rival r JOIN identity.link l USING (mention_id) JOIN member m ON m.person_id = l.person_id
    WHERE NOT EXISTS (SELECT FROM unresolved u WHERE u.mention_id = r.mention_id)
      AND NOT EXISTS (SELECT FROM cluster c WHERE c.mention_id = r.mention_id)
    UNION
    SELECT g.group_id, e.node FROM evidence e JOIN mate g USING (mention_id) WHERE e.is_forbidden`.execute(
    tx,
  );
  await sql`ANALYZE barred`.execute(tx);
}

/**
 * After: temporary table `twin` has each mention of a child without a number with those of its brothers and sisters:
 * other records of the same kind that name children of one family, born on the same day, and not under one name. A
 * child is certified once, so two certificates without a name are two children.
 */
async function findTwins(tx: Transaction<DB>): Promise<void> {
  await sql`
    CREATE TEMPORARY TABLE twin ON COMMIT DROP AS
    SELECT DISTINCT own.mention_id, other.mention_id AS other_id
    FROM (SELECT DISTINCT r.mention_id, o.mention_id AS other_id
          FROM mate g JOIN identity.relative r USING (mention_id)
          JOIN identity.relative o ON o.other_id = r.other_id AND o.mention_id <> r.mention_id) akin
    JOIN identity.mention own ON own.mention_id = akin.mention_id
    -- By the family, not by the birth date: who is akin are few, and who was born on one day many.
    CROSS JOIN LATERAL (
      SELECT m.* FROM identity.mention m WHERE m.mention_id = akin.other_id OFFSET 0) other
    WHERE other.active AND other.feed = own.feed AND other.role = own.role AND other.source_key <> own.source_key
      AND other.birth_date = own.birth_date AND (other.name = own.name) IS NOT TRUE`.execute(tx);
}

/**
 * Of rivals that would take the same node, the one with the greater weight takes it, or a human's choice; when they
 * weigh the same, neither does.
 *
 * Before: `leader` says with `taken` which groups would take their best node. After: no two rivals do.
 */
export async function settleRivals(tx: Transaction<DB>): Promise<void> {
  await sql`
    UPDATE leader l SET taken = false
    WHERE l.taken AND NOT l.decided AND EXISTS (
      SELECT FROM rival r JOIN mate g USING (mention_id) JOIN leader o ON o.group_id = g.group_id
      WHERE r.group_id = l.group_id AND o.taken AND o.node = l.node
        AND (o.decided OR o.weight >= l.weight))`.execute(tx);
}
