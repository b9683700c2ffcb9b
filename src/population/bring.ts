import { type RawBuilder, sql, type Transaction } from 'kysely';
import type { DB } from '../schema/database.ts';

/** A table of the picture, and the temporary table with what it should say of some persons. */
interface Bringing {
  readonly table: RawBuilder<unknown>;
  readonly draft: string;
  /** A table of the persons that the draft speaks of; whoever is not in the draft goes from the table. */
  readonly persons: string;
  /** The columns that name a row, beside person_id. */
  readonly key: readonly string[];
  readonly values: readonly string[];
}

/**
 * Brings a table to its draft, for the persons named: rows that went are deleted, rows that differ are written, new
 * ones are added. What is as it was is not written. The key is the table's primary key: asking that, row by row, is sure,
 * where an anti-join is planned by what was known of the table before the night, and may read it for every row.
 *
 * @returns how many rows were written or deleted
 */
export async function bringTable(tx: Transaction<DB>, bringing: Bringing): Promise<number> {
  const { table, draft, persons, values } = bringing;
  const key = ['person_id', ...bringing.key];
  const columns = [...key, ...values];
  const isSame = sql.join(
    key.map((name) => sql`d.${sql.id(name)} = s.${sql.id(name)}`),
    sql` AND `,
  );
  const valuesOf = (alias: string): RawBuilder<unknown> =>
    sql.join(values.map((name) => sql`${sql.id(alias, name)}`));
  const gone = await sql`
    DELETE FROM ${table} s USING ${sql.id(persons)} p
    WHERE s.person_id = p.person_id AND NOT EXISTS (SELECT FROM ${sql.id(draft)} d WHERE ${isSame})`.execute(
    tx,
  );
  const changed = await sql`
    UPDATE ${table} s SET ${sql.join(values.map((name) => sql`${sql.id(name)} = d.${sql.id(name)}`))}
    FROM ${sql.id(draft)} d
    WHERE ${isSame} AND (${valuesOf('s')}) IS DISTINCT FROM (${valuesOf('d')})`.execute(tx);
  const added = await sql`
    INSERT INTO ${table} (${sql.join(columns.map((name) => sql.id(name)))})
    SELECT ${sql.join(columns.map((name) => sql`d.${sql.id(name)}`))} FROM ${sql.id(draft)} d
    ON CONFLICT DO NOTHING`.execute(tx);
  return [gone, changed, added].reduce((sum, { numAffectedRows }) => sum + Number(numAffectedRows ?? 0), 0);
}
