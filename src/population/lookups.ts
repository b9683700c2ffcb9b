import { sql, type Transaction } from 'kysely';
import type { DB } from '../schema/database.ts';

/**
 * Makes the indexes by which the nights look up whom a change concerns. They are made with the first picture, when
 * the first load is in: building them at once costs a fraction of keeping them while millions of rows come.
 */
export async function createLookups(tx: Transaction<DB>): Promise<void> {
  // By what records of different persons are compared.
  await sql`
    CREATE INDEX IF NOT EXISTS mention_by_birth_date ON identity.mention (birth_date, name) WHERE birth_date IS NOT NULL`.execute(
    tx,
  );
  await sql`
    CREATE INDEX IF NOT EXISTS mention_by_phone ON identity.mention (phone, mention_id) WHERE phone IS NOT NULL`.execute(
    tx,
  );
  await sql`
    CREATE INDEX IF NOT EXISTS mention_by_division ON identity.mention (division, name) WHERE division IS NOT NULL`.execute(
    tx,
  );
  await sql`
    CREATE INDEX IF NOT EXISTS mention_unreadable ON identity.mention (birth_date) WHERE strpos(name, '□') > 0`.execute(
    tx,
  );
  await sql`
    CREATE INDEX IF NOT EXISTS mention_by_number_birth ON identity.mention (substr(id_number, 7, 8))
    WHERE id_kind IN ('resident', 'resident_15')`.execute(tx);
  // Who is named without a place and a birth date: by the place of another person in the record.
  await sql`
    CREATE INDEX IF NOT EXISTS mention_placeless ON identity.mention (name) WHERE division IS NULL AND birth_date IS NULL`.execute(
    tx,
  );
  // By the days that come.
  await sql`
    CREATE INDEX IF NOT EXISTS sign_by_until ON population.sign (until) WHERE until IS NOT NULL`.execute(tx);
  await sql`
    CREATE INDEX IF NOT EXISTS standing_by_birth_date ON population.standing (birth_date)`.execute(tx);
}
