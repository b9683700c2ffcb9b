// The figures of a night: what publishing all indicators costs the server, the first time and when nothing changed.
// An invented county (persons, seed).
import { mkdtemp, readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { sql } from 'kysely';
import { runNight } from '../src/jobs/nightly.ts';
import { loadIndicators } from '../src/population/indicators/indicator-file.ts';
import { publishIndicators } from '../src/population/indicators/publish.ts';
import { loadConfiguration } from '../src/schema/configuration/load.ts';
import { CONTRACTS } from '../src/schema/contracts/index.ts';
import { toRunId } from '../src/schema/ids.ts';
import { openWarehouse, type Warehouse } from '../src/schema/warehouse/connect.ts';
import { startEmbedded } from '../src/schema/warehouse/embedded.ts';
import { migrate } from '../src/schema/warehouse/migrate.ts';
import { synthesise } from '../src/synth/synthesise.ts';
import { removeServer } from './server.ts';
import { printTable } from './table.ts';

const NIGHT = '2026-11-18';
/** Of utime and stime in /proc/PID/stat. */
const TICKS_A_SECOND = 100;
const [persons = '100000', seed = '1'] = process.argv.slice(2);

const folder = await mkdtemp(path.join(tmpdir(), 'popshare-indicators-'));
const server = await startEmbedded({ folder: path.join(folder, 'postgres') });
try {
  const out = path.join(folder, 'county');
  await synthesise({ persons: Number(persons), nights: 1, seed: Number(seed), out });
  const warehouse = await openWarehouse(server.url);
  await migrate(warehouse, CONTRACTS);
  await runNight({
    warehouse,
    configuration: await loadConfiguration('config'),
    rules: [],
    indicators: [],
    dataFolder: folder,
    dropFolder: path.join(out, 'deliveries'),
    businessDate: NIGHT,
    purpose: 'nightly',
    feeds: [],
    progress: { stepBegan: () => {}, stepEnded: () => {}, rows: () => {} },
  });
  const rows = [];
  for (const [run, what] of ['first', 'nothing changed', 'nothing changed'].entries())
    rows.push([persons, what, ...(await publish(warehouse, run + 1))]);
  printTable(['persons', 'night', 'server s', 'node s', 'figures', 'rows written'], rows);
  await warehouse.close();
} finally {
  await removeServer(server, folder);
}

/** Processor seconds of the server's process and of this one, how many figures there are, and how many were written. */
async function publish(warehouse: Warehouse, run: number): Promise<string[]> {
  const { settings } = await loadConfiguration('config');
  const indicators = await loadIndicators('config/indicators');
  return warehouse.db.transaction().execute(async (tx) => {
    const { rows } = await sql<{ pid: number }>`SELECT pg_backend_pid() AS pid`.execute(tx);
    const pid = rows[0]?.pid ?? 0;
    const [server, own] = [await processorSeconds(pid), process.cpuUsage()];
    const failures = await publishIndicators(tx, toRunId(run), {
      indicators,
      county: settings.county,
      leastPersons: settings.indicators.least_persons,
    });
    if (failures.length > 0) throw new Error(failures.join('\n'));
    const { user, system } = process.cpuUsage(own);
    const spent = (await processorSeconds(pid)) - server;
    const counted = await sql<{ figures: number; written: number }>`
      SELECT count(*) AS figures, count(*) FILTER (WHERE run_id = ${run}) AS written
      FROM population.indicator_value`.execute(tx);
    const { figures = 0, written = 0 } = counted.rows[0] ?? {};
    return [spent.toFixed(1), ((user + system) / 1e6).toFixed(1), String(figures), String(written)];
  });
}

async function processorSeconds(pid: number): Promise<number> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) / TICKS_A_SECOND;
}
