import { type RawBuilder, sql, type Transaction } from 'kysely';
import { CONTRACTS } from '../schema/contracts/index.ts';
import type { DB } from '../schema/database.ts';

/**
 * Gathers by what the records of some persons are compared with those of others.
 *
 * After: temporary table `compared_value` has what their active mentions give, and what `former` gives beside.
 *
 * @param persons a table with person_id
 * @param former a SELECT of id_number, name, birth_date, phone, division
 */
export async function gatherValues(
  tx: Transaction<DB>,
  persons: RawBuilder<unknown>,
  former: RawBuilder<unknown>,
): Promise<void> {
  await sql`DROP TABLE IF EXISTS compared_value`.execute(tx);
  await sql`
    CREATE TEMPORARY TABLE compared_value ON COMMIT DROP AS
    SELECT m.id_number, m.name, m.birth_date, m.phone, m.division
    FROM ${persons} p JOIN identity.link USING (person_id) JOIN identity.mention m USING (mention_id)
    WHERE m.active
    UNION ${former}`.execute(tx);
  await sql`ANALYZE compared_value`.execute(tx);
}

/**
 * A SELECT of person_id: whose records are compared with one of the `compared_value`s. Of different persons records
 * are compared by the number, or by the name with the birth date, the telephone or the place; of the place also that
 * of another person in the same record counts, where one of the two has no number, or one of an area that never was.
 * A name that cannot be read whole is like others, and a number that is none is compared with the numbers of those
 * whose name sounds or looks like its own. Of a telephone it is
 * counted who gives it: the first record that does speaks for all.
 *
 * Each part is a look into an index for each value (src/population/lookups.ts).
 */
export const comparedPersons: RawBuilder<unknown> = sql`
  SELECT l.person_id
  FROM (SELECT DISTINCT name, birth_date FROM compared_value) v
  JOIN identity.mention m USING (birth_date, name) JOIN identity.link l USING (mention_id)
  WHERE m.active
  UNION
  SELECT l.person_id
  FROM (SELECT DISTINCT name, phone FROM compared_value) v
  JOIN identity.mention m USING (phone, name) JOIN identity.link l USING (mention_id)
  WHERE m.active
  UNION
  SELECT l.person_id
  FROM (SELECT DISTINCT name, division FROM compared_value) v
  JOIN identity.mention m USING (division, name) JOIN identity.link l USING (mention_id)
  WHERE m.active
  UNION
  SELECT l.person_id FROM (SELECT DISTINCT id_number FROM compared_value) v JOIN identity.link l USING (id_number)
  UNION
  SELECT l.person_id
  FROM (SELECT DISTINCT name, division, ${isOdd(sql`id_number`)} AS is_odd FROM compared_value WHERE division IS NOT NULL) v
  JOIN identity.mention m ON m.name = v.name AND m.division IS NULL AND m.birth_date IS NULL
  JOIN identity.mention beside
    ON beside.source_key = m.source_key AND beside.feed = m.feed AND beside.role <> m.role AND beside.division = v.division
  JOIN identity.link l ON l.mention_id = beside.mention_id
  WHERE m.active AND beside.active AND (v.is_odd OR ${isOdd(sql`m.id_number`)})
  UNION
  SELECT l.person_id
  FROM (SELECT DISTINCT name, birth_date FROM compared_value WHERE strpos(name, '□') > 0) v
  JOIN identity.mention m USING (birth_date) JOIN identity.link l USING (mention_id)
  WHERE m.active AND m.name LIKE replace(v.name, '□', '_%')
  UNION
  SELECT l.person_id
  FROM identity.mention m
  JOIN (SELECT DISTINCT name, birth_date FROM compared_value) v USING (birth_date) JOIN identity.link l USING (mention_id)
  WHERE m.active AND strpos(m.name, '□') > 0 AND v.name LIKE replace(m.name, '□', '_%')
  UNION
  SELECT l.person_id
  FROM (
    SELECT DISTINCT f.name, f.pinyin, f.shape, f.pattern, born.birth_date
    FROM compared_value v JOIN identity.name_form f USING (name)
    CROSS JOIN LATERAL (VALUES (to_char(v.birth_date, 'YYYYMMDD')), (substr(v.id_number, 7, 8))) AS born (birth_date)) v
  JOIN (identity.mention m JOIN identity.name_form f USING (name))
    ON to_char(m.birth_date, 'YYYYMMDD') = v.birth_date
   AND (f.pinyin = v.pinyin OR f.shape = v.shape OR v.name LIKE f.pattern OR m.name LIKE v.pattern)
  JOIN identity.link l USING (mention_id)
  WHERE m.active AND m.id_kind = 'invalid'
  UNION
  SELECT l.person_id
  FROM (SELECT DISTINCT phone FROM compared_value WHERE phone IS NOT NULL) v
  CROSS JOIN LATERAL (
    SELECT m.mention_id FROM identity.mention m WHERE m.phone = v.phone AND m.active ORDER BY m.mention_id LIMIT 1) m
  JOIN identity.link l USING (mention_id)`;

/** The feeds whose records name several persons. */
const FEEDS_OF_SEVERAL = CONTRACTS.filter(({ mentions }) => mentions.length > 1).map(({ feed }) => feed);

/**
 * A SELECT of person_id: who stands in one record with one of some persons.
 *
 * @param persons a table with person_id, and its condition
 */
export function personsBeside(persons: RawBuilder<unknown>): RawBuilder<unknown> {
  return sql`
    SELECT other.person_id
    FROM ${persons} JOIN identity.link own USING (person_id)
    JOIN identity.mention m ON m.mention_id = own.mention_id AND m.feed IN (${sql.join(FEEDS_OF_SEVERAL)})
    JOIN identity.mention beside ON beside.source_key = m.source_key AND beside.feed = m.feed AND beside.role <> m.role
    JOIN identity.link other ON other.mention_id = beside.mention_id`;
}

/** Whether a number is missing, or of an area that was never assigned. */
function isOdd(number: RawBuilder<unknown>): RawBuilder<boolean> {
  return sql`(${number} IS NULL OR left(${number}, 6) NOT IN (SELECT code FROM reference.area_code))`;
}
