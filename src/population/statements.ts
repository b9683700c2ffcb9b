import { type RawBuilder, sql } from 'kysely';
import { ATTRIBUTES, type Attribute } from './survivorship.ts';

/**
 * What each record says of the touched: one row a mention, a column an attribute, null where the record says nothing
 * of it.
 *
 * A household registration speaks of the place of registration only as long as it is in force. A valid number under
 * which somebody else is known (link method name_conflict) is `odd_number`, as is one that is none: both are shown,
 * never kept. `wedding` and `civil_status` are what a marriage registration adds, the date and GB/T 2261.2.
 *
 * @param mentions `touched_mention`, those of some of the touched, or all links
 */
export function statementsIn(mentions: RawBuilder<unknown>): RawBuilder<unknown> {
  return sql`(
    SELECT l.person_id, m.mention_id, m.feed, m.source_key, coalesce(h.status = '1', false) AS is_local,
           CASE WHEN l.method <> 'name_conflict' THEN m.id_number END AS id_number,
           CASE WHEN m.id_kind IN ('invalid', 'impossible_birth') THEN m.id_given
                WHEN l.method = 'name_conflict' THEN m.id_number END AS odd_number,
           m.name, CASE WHEN m.sex IN ('1', '2') THEN m.sex END AS sex, m.birth_date,
           CASE WHEN m.feed = 'death_registration' THEN d.died_on
                WHEN h.status = '3' THEN h.cancelled_on END AS death_date,
           m.phone,
           -- Married is married, whether for the first time or again.
           CASE WHEN h.marital_status <> '90' THEN left(h.marital_status, 1) || '0' END AS marital_status,
           CASE WHEN h.status = '1' THEN m.division
                WHEN m.feed <> 'household_register' THEN m.registered_division END AS registered_division,
           CASE WHEN h.status = '1' THEN m.address END AS registered_address,
           CASE WHEN h.status = '1' THEN m.household_code END AS household_code,
           w.registered_on AS wedding,
           CASE w.event WHEN '结婚' THEN '20' WHEN '离婚' THEN '40' END AS civil_status
    FROM ${mentions} l
    JOIN identity.mention m USING (mention_id)
    LEFT JOIN registry.household_register h ON m.feed = 'household_register' AND h.source_key = m.source_key
    LEFT JOIN registry.death_registration d ON m.feed = 'death_registration' AND d.source_key = m.source_key
    LEFT JOIN registry.marriage_registration w ON m.feed = 'marriage_registration' AND w.source_key = m.source_key
    WHERE m.active)`;
}

/** One piece of SQL for each attribute, with commas between. */
export function forEachAttribute(piece: (attribute: Attribute) => RawBuilder<unknown>): RawBuilder<unknown> {
  return sql.join(ATTRIBUTES.map(piece));
}

/** What a number of 18 characters tells by GB 11643: birth date and sex. */
export function numberTells(number: RawBuilder<unknown>): RawBuilder<unknown> {
  const isFull = sql`${number} ~ '^[0-9]{17}[0-9X]$'`;
  return sql`
    CASE WHEN ${isFull} THEN to_date(substr(${number}, 7, 8), 'YYYYMMDD') END AS number_birth_date,
    CASE WHEN ${isFull} THEN CASE WHEN substr(${number}, 17, 1)::integer % 2 = 1 THEN '1' ELSE '2' END END AS number_sex`;
}
