import { sql, type Transaction } from 'kysely';
import type { DB } from '../schema/database.ts';

/**
 * Whether nothing is linked yet. Then no mention was ever looked at, so every active one has changed, and no stored
 * key, link, person or event needs to be compared with.
 */
export async function isFirstLoad(tx: Transaction<DB>): Promise<boolean> {
  const { rows } = await sql<{ first: boolean }>`
    SELECT NOT EXISTS (SELECT FROM identity.link) AND NOT EXISTS (SELECT FROM identity.block_key) AS first`.execute(
    tx,
  );
  return rows[0]?.first ?? false;
}

/**
 * Fills an empty table without its indexes and builds them afterwards, each by one sort: what is scattered over an
 * index costs several times as much row by row. Whoever reads the table waits until the transaction ends.
 *
 * @param table in the schema identity
 */
export async function loadUnindexed(
  tx: Transaction<DB>,
  table: 'block_key' | 'link' | 'person_event',
  load: () => Promise<void>,
): Promise<void> {
  const { rows } = await sql<{ drop: string; rebuild: string }>`
    SELECT coalesce('ALTER TABLE ' || i.indrelid::regclass || ' DROP CONSTRAINT ' || quote_ident(k.conname),
                    'DROP INDEX ' || i.indexrelid::regclass) AS drop,
           coalesce('ALTER TABLE ' || i.indrelid::regclass || ' ADD CONSTRAINT ' || quote_ident(k.conname) || ' '
                    || pg_get_constraintdef(k.oid), pg_get_indexdef(i.indexrelid)) AS rebuild
    FROM pg_index i LEFT JOIN pg_constraint k ON k.conindid = i.indexrelid
    WHERE i.indrelid = ${`identity.${table}`}::regclass
    ORDER BY i.indexrelid`.execute(tx);
  for (const { drop } of rows) await sql.raw(drop).execute(tx);
  await load();
  for (const { rebuild } of rows) await sql.raw(rebuild).execute(tx);
  await sql`ANALYZE ${sql.id('identity', table)}`.execute(tx);
}
