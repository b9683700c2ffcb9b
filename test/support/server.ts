import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { TestProject } from 'vitest/node';
import { CONTRACTS } from '../../src/schema/contracts/index.ts';
import { openWarehouse } from '../../src/schema/warehouse/connect.ts';
import { startEmbedded } from '../../src/schema/warehouse/embedded.ts';
import { migrate } from '../../src/schema/warehouse/migrate.ts';

declare module 'vitest' {
  interface ProvidedContext {
    /** Address of the test server; its database popshare_template is migrated and has no connections. */
    serverUrl: string;
  }
}

/** One real Postgres for the whole run, with a migrated template that test files copy. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const folder = await mkdtemp(path.join(tmpdir(), 'popshare-test-'));
  // Run by root, the server's account must get in: else its data would live elsewhere, and stay there.
  await chmod(folder, 0o711);
  const server = await startEmbedded({
    folder,
    settings: {
      fsync: 'off',
      full_page_writes: 'off',
      max_connections: '200',
      // Small databases, and many short lives: little memory to look through, little log, nobody who tidies up.
      shared_buffers: '64MB',
      max_wal_size: '256MB',
      autovacuum: 'off',
    },
  });
  const admin = await openWarehouse(server.url);
  await admin.pool.query('CREATE DATABASE popshare_template');
  const template = await openWarehouse(databaseUrl(server.url, 'popshare_template'));
  await migrate(template, CONTRACTS);
  await template.close();
  await admin.close();
  project.provide('serverUrl', server.url);
  return async () => {
    await server.stop();
    await rm(folder, { recursive: true, force: true });
  };
}

function databaseUrl(serverUrl: string, name: string): string {
  const url = new URL(serverUrl);
  url.pathname = `/${name}`;
  return url.href;
}
