import { randomBytes } from 'node:crypto';
import type { PoolClient } from 'pg';
import type { Warehouse } from '../../schema/warehouse/connect.ts';
import { COMPARATORS } from '../model/comparators.ts';

const PREFIX = 'linkage_';

/**
 * Does work in a schema of its own, with the comparators and fuzzystrmatch on the search path, and drops the schema,
 * also when the work fails. Tables in it are unlogged rather than temporary, because temporary ones cannot be read by
 * parallel workers. What a killed process left behind goes at the next start.
 */
export async function withWorkspace<Result>(
  warehouse: Warehouse,
  work: (client: PoolClient) => Promise<Result>,
): Promise<Result> {
  const client = await warehouse.pool.connect();
  const schema = PREFIX + randomBytes(8).toString('hex');
  try {
    await dropAbandoned(client);
    await client.query('SELECT pg_advisory_lock(hashtextextended($1, 0))', [schema]);
    const extension = await extensionSchema(client);
    await client.query(`CREATE SCHEMA ${schema}`);
    await client.query(`SET search_path = ${schema}, ${extension}`);
    await client.query('SET jit = off');
    // A comparison costs a thousand times what reading its pair costs: small tables are worth a second worker.
    await client.query("SET min_parallel_table_scan_size = '256kB'");
    for (const comparator of COMPARATORS) await client.query(comparator);
    return await work(client);
  } finally {
    await close(client, schema);
  }
}

async function close(client: PoolClient, schema: string): Promise<void> {
  try {
    await client.query(`DROP SCHEMA IF EXISTS ${schema} CASCADE`);
    await client.query('DISCARD ALL');
    client.release();
  } catch {
    // The connection is gone: the failure that ended it is thrown by the work, and the next start sweeps.
    client.release(true);
  }
}

/** Schemas whose owner no longer holds their lock. */
async function dropAbandoned(client: PoolClient): Promise<void> {
  const { rows } = await client.query<{ name: string }>(
    `SELECT nspname AS name FROM pg_namespace WHERE nspname ~ '^${PREFIX}[0-9a-f]{16}$'`,
  );
  for (const { name } of rows) {
    const { rows: locked } = await client.query<{ free: boolean }>(
      'SELECT pg_try_advisory_lock(hashtextextended($1, 0)) AS free',
      [name],
    );
    if (locked[0]?.free !== true) continue;
    await client.query(`DROP SCHEMA IF EXISTS ${name} CASCADE`);
    await client.query('SELECT pg_advisory_unlock(hashtextextended($1, 0))', [name]);
  }
}

/** Where fuzzystrmatch is, quoted; installed when it is not (it is a trusted extension: no superuser needed). */
async function extensionSchema(client: PoolClient): Promise<string> {
  await client.query('BEGIN');
  await client.query("SELECT pg_advisory_xact_lock(hashtextextended('popshare fuzzystrmatch', 0))");
  await client.query('CREATE EXTENSION IF NOT EXISTS fuzzystrmatch SCHEMA public');
  await client.query('COMMIT');
  const { rows } = await client.query<{ name: string }>(
    `SELECT quote_ident(nspname) AS name FROM pg_extension e JOIN pg_namespace n ON n.oid = e.extnamespace
     WHERE extname = 'fuzzystrmatch'`,
  );
  return rows[0]?.name ?? 'public';
}
