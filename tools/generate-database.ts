// Writes src/schema/database.ts from a freshly migrated warehouse, or, with --verify, fails when it differs.
import { spawnSync } from 'node:child_process';
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { CONTRACTS } from '../src/schema/contracts/index.ts';
import { openWarehouse } from '../src/schema/warehouse/connect.ts';
import { startEmbedded } from '../src/schema/warehouse/embedded.ts';
import { migrate } from '../src/schema/warehouse/migrate.ts';

const OUT = 'src/schema/database.ts';
const folder = await mkdtemp(path.join(tmpdir(), 'popshare-types-'));
// Run by root, the server's account must get in: else its data would live elsewhere, and stay there.
await chmod(folder, 0o711);
const server = await startEmbedded({ folder, settings: { fsync: 'off' } });
try {
  const warehouse = await openWarehouse(server.url);
  await migrate(warehouse, CONTRACTS);
  await warehouse.close();
  const options = [
    ['--url', server.url],
    ['--dialect', 'postgres'],
    ['--date-parser', 'string'],
    ['--type-mapping', '{"int8":"number"}'],
    ['--exclude-pattern', 'public.kysely_*'],
    ['--out-file', OUT],
    process.argv.includes('--verify') ? ['--verify'] : [],
  ].flat();
  const { status } = spawnSync('kysely-codegen', options, { stdio: 'inherit' });
  process.exitCode = status ?? 1;
} finally {
  await server.stop();
  await rm(folder, { recursive: true, force: true });
}
