// How long the rules take over a county: on its first night, when each looks at everything, and on the nights after.
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { sql } from 'kysely';
import { loadRules } from '../src/anomalies/rule-file.ts';
import { runNight } from '../src/jobs/nightly.ts';
import { loadConfiguration } from '../src/schema/configuration/load.ts';
import { CONTRACTS } from '../src/schema/contracts/index.ts';
import { openWarehouse, type Warehouse } from '../src/schema/warehouse/connect.ts';
import { startEmbedded } from '../src/schema/warehouse/embedded.ts';
import { migrate } from '../src/schema/warehouse/migrate.ts';
import { removeServer } from './server.ts';
import { printTable, seconds } from './table.ts';

/** A folder as `popshare synth` writes it, and the business dates of its nights. */
const [county = 'demo', ...given] = process.argv.slice(2);
const dates = given.length > 0 ? given : ['2026-11-18', '2026-11-19'];

const folder = await mkdtemp(path.join(tmpdir(), 'popshare-bench-'));
const server = await startEmbedded({ folder: path.join(folder, 'postgres') });
try {
  const warehouse = await openWarehouse(server.url);
  await migrate(warehouse, CONTRACTS);
  const nights: Record<string, number>[] = [];
  for (const date of dates) nights.push(await night(warehouse, date));
  printTable(
    ['rule', ...dates.map((date) => `${date}, seconds`)],
    Object.keys(nights[0] ?? {}).map((rule) => [rule, ...nights.map((times) => seconds(times[rule] ?? 0))]),
  );
  await warehouse.close();
} finally {
  await removeServer(server, folder);
}

/** Milliseconds by rule, and of all rules from the beginning of the first to the end of the last. */
async function night(warehouse: Warehouse, businessDate: string): Promise<Record<string, number>> {
  const began: number[] = [];
  const ended: number[] = [];
  const note = (times: number[]) => (name: string) => {
    if (name === 'detect') times.push(performance.now());
  };
  await runNight({
    warehouse,
    configuration: await loadConfiguration('config'),
    rules: await loadRules('config/rules'),
    dataFolder: folder,
    dropFolder: path.join(county, 'deliveries'),
    businessDate,
    purpose: 'nightly',
    feeds: [],
    progress: { stepBegan: note(began), stepEnded: note(ended), rows: () => {} },
  });
  const { rows } = await sql<{ rule: string; milliseconds: number }>`
    SELECT rule, milliseconds FROM anomalies.rule_state ORDER BY rule`.execute(warehouse.db);
  return {
    'all, two at a time': Math.max(...ended) - Math.min(...began),
    ...Object.fromEntries(rows.map(({ rule, milliseconds }) => [rule, milliseconds])),
  };
}
