import { createHash } from 'node:crypto';
import { type Kysely, sql, type Transaction } from 'kysely';
import { type MigrationResult, Migrator } from 'kysely/migration';
import type { Contract } from '../contracts/contract.ts';
import type { DB } from '../database.ts';
import { PopshareError } from '../errors.ts';
import { MIGRATIONS } from '../migrations/index.ts';
import type { Warehouse } from './connect.ts';
import { loadReferenceData } from './reference-data.ts';
import { dropRegistry, migrateRegistry } from './registry-tables.ts';

function migratorOf(db: Kysely<DB>): Migrator {
  return new Migrator({
    db,
    provider: { getMigrations: async () => MIGRATIONS },
    migrationTableSchema: 'public',
  });
}

/**
 * Brings the warehouse to this version: migrations, registry tables of the contracts, reference data.
 * Safe to repeat and to run from several processes at once (a lock lets one through at a time).
 *
 * @returns the names of the migrations that were applied
 * @throws DATABASE_NEWER when the warehouse knows migrations that this version does not
 */
export async function migrate(warehouse: Warehouse, contracts: readonly Contract[]): Promise<string[]> {
  await refuseNewer(warehouse);
  const applied = report(await migratorOf(warehouse.db).migrateToLatest());
  await warehouse.db.transaction().execute(async (tx) => {
    await sql`SELECT pg_advisory_xact_lock(hashtext('popshare.migrate'))`.execute(tx);
    await bringRegistry(tx, contracts);
  });
  await loadReferenceData(warehouse);
  return applied;
}

/** Registry tables are touched only when a contract changed: a quiet night takes no lock on them. */
async function bringRegistry(tx: Transaction<DB>, contracts: readonly Contract[]): Promise<void> {
  const shape = contracts.map(({ feed, department, fields, lookups }) => ({
    feed,
    department,
    lookups,
    columns: Object.entries(fields).map(([name, { column, masking }]) => [name, column, masking]),
  }));
  const version = createHash('sha256').update(JSON.stringify(shape)).digest('hex');
  const loaded = await tx
    .selectFrom('reference.loaded')
    .select('version')
    .where('name', '=', 'registry')
    .executeTakeFirst();
  if (loaded?.version === version) return;
  await migrateRegistry(tx, contracts);
  await tx
    .insertInto('reference.loaded')
    .values({ name: 'registry', version })
    .onConflict((conflict) => conflict.column('name').doUpdateSet({ version }))
    .execute();
}

/** Takes every migration back: the warehouse is empty again. For tests of the migrations themselves. */
export async function migrateDown(warehouse: Warehouse, contracts: readonly Contract[]): Promise<void> {
  await dropRegistry(warehouse.db, contracts);
  for (let applied = ['first']; applied.length > 0; )
    applied = report(await migratorOf(warehouse.db).migrateDown());
}

/** @throws DATABASE_NOT_MIGRATED, DATABASE_NEWER */
export async function requireMigrated(warehouse: Warehouse): Promise<void> {
  await refuseNewer(warehouse);
  const pending = (await migratorOf(warehouse.db).getMigrations()).filter(
    (known) => known.executedAt === undefined,
  );
  if (pending.length > 0) {
    throw new PopshareError(
      'DATABASE_NOT_MIGRATED',
      `the warehouse lacks ${pending.map(({ name }) => name).join(', ')}`,
    );
  }
}

async function refuseNewer(warehouse: Warehouse): Promise<void> {
  const exists = await sql<{ found: boolean }>`
    SELECT to_regclass('public.kysely_migration') IS NOT NULL AS found`.execute(warehouse.db);
  if (!exists.rows[0]?.found) return;
  const applied = await sql<{ name: string }>`SELECT name FROM public.kysely_migration`.execute(warehouse.db);
  const unknown = applied.rows.map(({ name }) => name).filter((name) => !Object.hasOwn(MIGRATIONS, name));
  if (unknown.length > 0) {
    throw new PopshareError('DATABASE_NEWER', `the warehouse has ${unknown.join(', ')}`);
  }
}

function report({ error, results }: { error?: unknown; results?: MigrationResult[] | undefined }): string[] {
  if (error !== undefined) throw error;
  return (results ?? [])
    .filter(({ status }) => status === 'Success')
    .map(({ migrationName }) => migrationName);
}
