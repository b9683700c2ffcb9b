import { sql } from 'kysely';
import { weighReviews } from '../src/identity/review-worth.ts';
import type { Warehouse } from '../src/schema/warehouse/connect.ts';

/** The village of a person: 30 townships with 12 villages each. */
const VILLAGE = sql`'620802' || lpad((1 + n % 30)::text, 3, '0') || lpad((1 + n / 30 % 12)::text, 3, '0')`;
const NAME = sql`'王' || chr((19968 + n % 2000)::integer) || chr((19968 + n / 7 % 2000)::integer)`;
const NUMBER = sql`'620802' || to_char(date '1940-01-01' + (n % 25000)::integer, 'YYYYMMDD') || lpad((n % 10000)::text, 4, '0')`;
const PHONE = sql`'139' || lpad((n % 100000000)::text, 8, '0')`;
const ADDRESS = sql`'平凉市崆峒区' || (1 + n % 30) || '号街道' || n || '号'`;

/** Invented persons, each with a record of the register and one of insurance, a residence, and some of them reviews. */
export async function fillPersons(warehouse: Warehouse, persons: number, reviews: number): Promise<void> {
  const all = sql`generate_series(1, ${persons}::bigint) AS g (n)`;
  const { db } = warehouse;
  await sql`
    INSERT INTO identity.person (person_id, created_run) OVERRIDING SYSTEM VALUE SELECT n, 1 FROM ${all}`.execute(
    db,
  );
  await sql`
    INSERT INTO identity.mention (mention_id, feed, source_key, role, changed_run, id_given, id_kind, id_number, name_given,
                                  name, sex, birth_date, phone, division, address)
    SELECT 2 * n - 1 + s, CASE s WHEN 0 THEN 'household_register' ELSE 'social_insurance' END, n::text, 'subject', 1,
           ${NUMBER}, 'valid', ${NUMBER}, ${NAME}, ${NAME}, (1 + n % 2)::text, date '1940-01-01' + (n % 25000)::integer,
           ${PHONE}, ${VILLAGE}, ${ADDRESS}
    FROM ${all}, generate_series(0, 1) s`.execute(db);
  await sql`
    INSERT INTO identity.link (mention_id, person_id, id_number, method, linked_run)
    SELECT mention_id, (mention_id + 1) / 2, id_number, 'valid_id', 1 FROM identity.mention`.execute(db);
  await sql`
    INSERT INTO identity.person_event (kind, person_id, run_id) SELECT 'created', n, 1 FROM ${all}`.execute(
    db,
  );
  await sql`
    INSERT INTO registry.household_register (source_key, delivery_id, valid_from, person_number, id_number, name, sex, birth_date,
      registered_division, registered_address, household_number, status, phone)
    SELECT n::text, 1, '2026-09-01', n::text, ${NUMBER}, ${NAME}, (1 + n % 2)::text, date '1940-01-01' + (n % 25000)::integer,
           ${VILLAGE}, ${ADDRESS}, (n / 3)::text, '1', ${PHONE}
    FROM ${all}`.execute(db);
  await sql`
    INSERT INTO population.person (person_id, id_number, name, sex, birth_date, phone, registered_division,
                                   registered_address, household_code, is_local, source)
    SELECT n, ${NUMBER}, ${NAME}, (1 + n % 2)::text, date '1940-01-01' + (n % 25000)::integer, ${PHONE}, ${VILLAGE}, ${ADDRESS},
           (n / 3)::text, true, 'household_register'
    FROM ${all}`.execute(db);
  await sql`
    INSERT INTO population.household_member (household_code, person_id) SELECT (n / 3)::text, n FROM ${all}`.execute(
    db,
  );
  await sql`
    INSERT INTO population.residence (person_id, since, registered_division, living_division, category, evidence, recorded_run)
    SELECT n, '2020-01-01', ${VILLAGE}, ${VILLAGE}, 'local', '{"kind": "insured"}', 1 FROM ${all}`.execute(
    db,
  );
  await sql`
    INSERT INTO identity.review (kind, status, left_mention, right_mention, weight, opened_run)
    SELECT 'doubtful', 'open', 2 * n - 1, 2 * n + 2, 14 + (n % 60) / 10.0, 1
    FROM (SELECT i * ${Math.floor(persons / reviews) - 1}::bigint AS n FROM generate_series(1, ${reviews}::bigint) i) g`.execute(
    db,
  );
  await db.transaction().execute(weighReviews);
  await sql`VACUUM ANALYZE`.execute(db);
}
