import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { CONTRACTS } from '../../src/schema/contracts/index.ts';
import type { Warehouse } from '../../src/schema/warehouse/connect.ts';
import { migrate, migrateDown, requireMigrated } from '../../src/schema/warehouse/migrate.ts';
import { migrateRegistry } from '../../src/schema/warehouse/registry-tables.ts';
import { createWarehouse } from '../support/warehouse.ts';

let warehouse: Warehouse;
beforeEach(async () => {
  warehouse = await createWarehouse();
});
afterEach(() => warehouse.close());

/** Everything that a migration makes: tables with columns, constraints, indexes, views, functions. */
async function structure(): Promise<string[]> {
  const { rows } = await warehouse.pool.query<{ line: string }>(`
    WITH ours AS (SELECT oid, nspname FROM pg_namespace
                  WHERE nspname NOT LIKE 'pg\\_%' AND nspname NOT IN ('information_schema', 'public'))
    SELECT concat_ws(' ', nspname, relname, relkind, attname, format_type(atttypid, atttypmod), attnotnull) AS line
    FROM ours JOIN pg_class c ON c.relnamespace = ours.oid JOIN pg_attribute a ON a.attrelid = c.oid
    WHERE attnum > 0 AND NOT attisdropped
    UNION ALL SELECT concat_ws(' ', nspname, conrelid::regclass, pg_get_constraintdef(c.oid))
    FROM ours JOIN pg_constraint c ON c.connamespace = ours.oid
    UNION ALL SELECT pg_get_indexdef(indexrelid) FROM pg_index JOIN pg_class c ON c.oid = indexrelid JOIN ours ON ours.oid = c.relnamespace
    UNION ALL SELECT pg_get_functiondef(p.oid) FROM pg_proc p JOIN ours ON ours.oid = p.pronamespace
    UNION ALL SELECT relname || pg_get_viewdef(c.oid) FROM pg_class c JOIN ours ON ours.oid = c.relnamespace WHERE relkind = 'v'
    UNION ALL SELECT concat_ws(' ', nspname, relname, relacl) FROM pg_class c JOIN ours ON ours.oid = c.relnamespace
    ORDER BY line`);
  return rows.map(({ line }) => line);
}

async function reference(): Promise<unknown[]> {
  const { rows } = await warehouse.pool.query(`
    SELECT (SELECT count(*) FROM reference.area_code) AS areas, (SELECT count(*) FROM reference.division) AS divisions,
           (SELECT count(*) FROM reference.lunar_date) AS dates`);
  return rows;
}

describe('the migrations', () => {
  test('go down to nothing and up again to the same', async () => {
    const [before, data] = [await structure(), await reference()];
    expect(before.length).toBeGreaterThan(100);
    await migrateDown(warehouse, CONTRACTS);
    expect(await structure()).toEqual([]);
    expect(await migrate(warehouse, CONTRACTS)).not.toEqual([]);
    expect(await structure()).toEqual(before);
    expect(await reference()).toEqual(data);
  });

  test('are applied once', async () => {
    const before = await structure();
    expect(await migrate(warehouse, CONTRACTS)).toEqual([]);
    expect(await structure()).toEqual(before);
  });

  test('run from two processes at once are applied once', async () => {
    await migrateDown(warehouse, CONTRACTS);
    const [first, second] = await Promise.all([migrate(warehouse, CONTRACTS), migrate(warehouse, CONTRACTS)]);
    expect([first, second].filter((applied) => applied.length > 0)).toHaveLength(1);
  });

  test('a warehouse without them is refused', async () => {
    await migrateDown(warehouse, CONTRACTS);
    await expect(requireMigrated(warehouse)).rejects.toMatchObject({
      code: 'DATABASE_NOT_MIGRATED',
      message: expect.stringContaining('0001-ledger'),
    });
  });

  test('a warehouse of a newer version is refused, and not touched', async () => {
    await warehouse.pool.query(`INSERT INTO public.kysely_migration VALUES ('9999-tomorrow', now()::text)`);
    await expect(requireMigrated(warehouse)).rejects.toMatchObject({ code: 'DATABASE_NEWER' });
    await expect(migrate(warehouse, CONTRACTS)).rejects.toMatchObject({
      code: 'DATABASE_NEWER',
      message: expect.stringContaining('9999-tomorrow'),
    });
  });
});

describe('the registry follows the contracts', () => {
  test('a field that a contract loses or gains costs no data', async () => {
    const [contract] = CONTRACTS.filter(({ feed }) => feed === 'housing_ownership');
    if (contract === undefined) throw new Error('no contract');
    await warehouse.pool.query(`
      INSERT INTO registry.housing_ownership (source_key, delivery_id, valid_from, title_number, status)
      VALUES ('A', 1, '2026-11-18', 'A', '在用')`);
    const { status: _lost, ...fields } = contract.fields;
    const { floor_area: gained } = contract.fields;
    if (gained === undefined) throw new Error('no field');
    await migrateRegistry(warehouse.db, [{ ...contract, fields: { ...fields, rooms: gained } }]);
    const { rows } = await warehouse.pool.query(`
      SELECT r.status, r.rooms, a.title_number FROM registry.housing_ownership r
      JOIN registry.housing_ownership_as_of('2026-11-18') a USING (source_key)`);
    expect(rows).toEqual([{ status: '在用', rooms: null, title_number: 'A' }]);
  });
});

test('popshare_reader reads the reporting views and nothing else', async () => {
  const client = await warehouse.pool.connect();
  try {
    await client.query('SET ROLE popshare_reader');
    for (const view of ['run', 'delivery', 'rejected_row', 'link', 'person_event', 'anomaly']) {
      expect((await client.query(`SELECT * FROM reporting.${view}`)).rows).toEqual([]);
    }
    for (const table of [
      'ops.run',
      'ops.rejected_row',
      'registry.household_register',
      'identity.mention',
      'anomalies.anomaly',
    ]) {
      await expect(client.query(`SELECT * FROM ${table}`)).rejects.toThrow('permission denied');
    }
    await expect(client.query('DELETE FROM reporting.run')).rejects.toThrow('permission denied');
  } finally {
    client.release(true);
  }
});
