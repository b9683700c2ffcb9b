import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, inject } from 'vitest';
import { openWarehouse, type Warehouse } from '../../src/schema/warehouse/connect.ts';

/** A migrated database of its own for a test file: `const warehouse = useWarehouse()`, then `warehouse()` in tests. */
export function useWarehouse(): () => Warehouse {
  let warehouse: Warehouse | undefined;
  beforeAll(async () => {
    warehouse = await createWarehouse();
  });
  afterAll(async () => {
    await warehouse?.close();
  });
  return () => {
    if (warehouse === undefined) throw new Error('the warehouse is open only inside tests');
    return warehouse;
  };
}

/** A new database, copied from the migrated template; dropped when it is closed. */
export async function createWarehouse(template = 'popshare_template'): Promise<Warehouse> {
  const name = `test_${randomUUID().replaceAll('-', '')}`;
  const admin = await openWarehouse(inject('serverUrl'));
  await admin.pool.query(`CREATE DATABASE ${name} TEMPLATE ${template} STRATEGY file_copy`);
  await admin.close();
  const url = new URL(inject('serverUrl'));
  url.pathname = `/${name}`;
  return openWarehouse(url.href, async () => {
    const server = await openWarehouse(inject('serverUrl'));
    await server.pool.query(`DROP DATABASE IF EXISTS ${name} WITH (FORCE)`);
    await server.close();
  });
}
