import { sql, type Transaction } from 'kysely';
import type { DB } from '../schema/database.ts';
import { HOUSEMATES, weigh } from './evidence.ts';
import { addMeetings } from './meetings.ts';
import { patternSql } from './model/comparison-sql.ts';
import type { TrainedModel } from './model/weights.ts';

/**
 * Asks those again who bond with somebody who is asked. Groups are connected components that are kept or dissolved
 * as a whole: half of one would be decided otherwise, and the result would depend on the order of arrival. Whom a law
 * sets apart are asked as well: they are rivals for the same person.
 *
 * Before: `met` has whom the unresolved meet. After: no mention without a document number outside `unresolved` reaches
 * the join threshold with one inside, or is set apart from it by a law; `met` and `crowd` have what is theirs who were
 * added.
 */
export async function closeOverBonds(tx: Transaction<DB>, model: TrainedModel): Promise<void> {
  const { rows } = await sql<{ others: boolean }>`
    SELECT EXISTS (SELECT FROM identity.link l WHERE l.id_number IS NULL
                   AND NOT EXISTS (SELECT FROM unresolved u WHERE u.mention_id = l.mention_id)) AS others`.execute(
    tx,
  );
  if (!rows[0]?.others) return;
  await sql`CREATE TEMPORARY TABLE frontier ON COMMIT DROP AS SELECT mention_id FROM unresolved`.execute(tx);
  for (;;) {
    await sql`ANALYZE frontier`.execute(tx);
    await meetOutsiders(tx, model);
    await weigh(tx, model, 'outsider_vector', 'outsider');
    const added = await askBonded(tx, model);
    await sql`DROP TABLE outsider_vector, outsider`.execute(tx);
    if (added === 0) return;
    await addMeetings(tx, model, 'frontier');
  }
}

/**
 * After: `frontier` has who bonds with the frontier before, and who without a number is linked to the person of one of
 * them; `unresolved` has them too.
 *
 * @returns how many they are
 */
async function askBonded(tx: Transaction<DB>, model: TrainedModel): Promise<number> {
  await sql`TRUNCATE frontier`.execute(tx);
  const result = await sql`
    WITH bonded AS (
      SELECT DISTINCT other_id AS mention_id FROM outsider WHERE weight >= ${model.thresholds.join} OR is_forbidden),
    added AS (
      INSERT INTO unresolved (mention_id, feed, source_key, name, sex, birth_date, person_id, linked_run, by_decision)
      SELECT m.mention_id, m.feed, m.source_key, m.name, m.sex, m.birth_date, l.person_id, l.linked_run, l.method = 'decision'
      FROM (SELECT mention_id FROM bonded
            UNION
            SELECT mate.mention_id
            FROM bonded JOIN identity.link own USING (mention_id) JOIN identity.link mate ON mate.person_id = own.person_id
            WHERE mate.id_number IS NULL AND NOT EXISTS (SELECT FROM unresolved u WHERE u.mention_id = mate.mention_id)) asked
      JOIN identity.mention m USING (mention_id) JOIN identity.link l USING (mention_id)
      WHERE m.active AND m.id_number IS NULL
      RETURNING mention_id)
    INSERT INTO frontier SELECT mention_id FROM added`.execute(tx);
  return Number(result.numAffectedRows ?? 0);
}

/** After: temporary table `outsider_vector` compares the frontier with whoever outside it meets by a key and by name. */
async function meetOutsiders(tx: Transaction<DB>, model: TrainedModel): Promise<void> {
  await sql`
    CREATE TEMPORARY TABLE outsider_vector ON COMMIT DROP AS
    SELECT met.other_id, ${sql.raw(patternSql(model))} AS vector, ${HOUSEMATES} AS are_housemates
    FROM (SELECT met.mention_id, met.other_id FROM frontier JOIN met USING (mention_id)
          WHERE NOT met.anchored AND NOT EXISTS (SELECT FROM unresolved u WHERE u.mention_id = met.other_id) OFFSET 0) met
    JOIN identity.feature l ON l.mention_id = least(met.mention_id, met.other_id)
    JOIN identity.feature r ON r.mention_id = greatest(met.mention_id, met.other_id)
    WHERE (l.pinyin = r.pinyin OR l.shape = r.shape OR l.name LIKE r.name_pattern OR r.name LIKE l.name_pattern)
      AND NOT (l.feed = r.feed AND l.source_key = r.source_key)`.execute(tx);
}
