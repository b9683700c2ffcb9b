// How fast the API answers 50 officers at their pages at the same time, half of them with a county for scope, half with a
// township: 1,000,000 persons, 200,000 open cases, 5,000 open reviews; row-level security is on. First one request of each
// kind alone, then the officers with the time to read between two pages, then without.
import { readFileSync } from 'node:fs';
import { mkdtemp } from 'node:fs/promises';
import { loadavg, tmpdir } from 'node:os';
import path from 'node:path';
import { Worker } from 'node:worker_threads';
import { sql } from 'kysely';
import { loadRules } from '../src/anomalies/rule-file.ts';
import { connectQueue } from '../src/jobs/queue.ts';
import { readEnvironment } from '../src/schema/configuration/environment.ts';
import { loadConfiguration } from '../src/schema/configuration/load.ts';
import { CONTRACTS } from '../src/schema/contracts/index.ts';
import { openWarehouse, type Warehouse } from '../src/schema/warehouse/connect.ts';
import { startEmbedded } from '../src/schema/warehouse/embedded.ts';
import { migrate } from '../src/schema/warehouse/migrate.ts';
import { openSession } from '../src/server/accounts/sessions.ts';
import { SESSION_COOKIE } from '../src/server/authentication.ts';
import { startServer } from '../src/server/start.ts';
import { fillCases } from './cases.ts';
import type { Answered, OfficersAtWork } from './officers.ts';
import { fillPersons } from './people.ts';
import { removeServer } from './server.ts';
import { printTable } from './table.ts';

const [persons = 1_000_000, openCases = 200_000, seconds = 60] = process.argv.slice(2).map(Number);
const OFFICERS = 50;
const REVIEWS = 5_000;
const MILLISECONDS_OF_A_TICK = 10;

const folder = await mkdtemp(path.join(tmpdir(), 'popshare-bench-'));
const postgres = await startEmbedded({ folder: path.join(folder, 'postgres') });
try {
  const warehouse = await openWarehouse(postgres.url);
  await migrate(warehouse, CONTRACTS);
  await fillCases(warehouse, openCases);
  await fillPersons(warehouse, persons, REVIEWS);
  const server = await serve(warehouse);
  try {
    const officers = await hire(warehouse, OFFICERS);
    for (const scope of ['county', 'township'] as const) {
      const one = officers.filter(
        ({ lists }) => (scope === 'county') === lists.includes('?owner=officer%207'),
      );
      await tell(`one officer of a ${scope}`, {
        officers: one.slice(0, 1),
        seconds: seconds / 4,
        readingSeconds: 0,
      });
    }
    await tell(`${OFFICERS} officers, 2 s to read`, { officers, seconds, readingSeconds: 2 });
    await tell(`${OFFICERS} officers, 1 s to read`, { officers, seconds, readingSeconds: 1 });
    await tell(`${OFFICERS} officers who read nothing`, {
      officers,
      seconds: seconds / 2,
      readingSeconds: 0,
    });
  } finally {
    await server.close();
    await warehouse.close();
  }

  async function tell(what: string, work: Omit<OfficersAtWork, 'url' | 'cookie'>): Promise<void> {
    const before = await processorTime(warehouse);
    const times = await atWork({ ...work, url: server.url, cookie: SESSION_COOKIE });
    const spent = (await processorTime(warehouse)) - before;
    const answers = times.length;
    process.stdout.write(
      `\n${what}: ${(answers / work.seconds).toFixed(0)} answers a second, ${(spent / answers).toFixed(1)} ms of processors for each; load ${loadavg()[0]?.toFixed(1)}\n\n`,
    );
    printTable(
      ['what', 'answers', 'p50 ms', 'p95 ms', 'p99 ms'],
      [...Map.groupBy(times, (answered) => answered.what)].map(([name, took]) => [
        name,
        String(took.length),
        ...[0.5, 0.95, 0.99].map((share) =>
          quantile(
            took.map(({ milliseconds }) => milliseconds),
            share,
          ),
        ),
      ]),
    );
  }
} finally {
  await removeServer(postgres, folder);
}

async function serve(warehouse: Warehouse) {
  const configuration = await loadConfiguration('config');
  const settings = {
    ...configuration.settings,
    server: { ...configuration.settings.server, port: 0, looks_per_10_minutes: 1_000_000 },
  };
  const queue = await connectQueue({ databaseUrl: warehouse.url, redisUrl: undefined });
  const session = {
    environment: readEnvironment({ POPSHARE_CONFIG: 'config' }),
    configuration: { ...configuration, settings },
    rules: await loadRules(path.join('config', 'rules')),
    warehouse,
  };
  const server = await startServer(session, queue);
  return {
    url: server.url,
    close: async () => {
      await server.close();
      await queue.close();
    },
  };
}

/** Half of them have the county for scope, half one of thirty townships. */
async function hire(warehouse: Warehouse, count: number): Promise<OfficersAtWork['officers']> {
  const officers: OfficersAtWork['officers'][number][] = [];
  for (let index = 0; index < count; index++) {
    const township = index % 2 === 0 ? null : 1 + (index % 30);
    const division = township === null ? '620802' : `620802${String(township).padStart(3, '0')}`;
    const { rows } = await sql<{ account_id: number }>`
      INSERT INTO access.account (name, display_name, role, division)
      VALUES (${`bench ${index}`}, 'bench', 'officer', ${division}) RETURNING account_id`.execute(
      warehouse.db,
    );
    const token = await openSession(warehouse.db, rows[0]?.account_id ?? 0, { hours: 10, idle_minutes: 600 });
    officers.push({
      token,
      lists:
        township === null
          ? ['', '?owner=officer%207', '?family=MP', '?severity=high', '?order=due']
          : ['', '?order=due', '?severity=low'],
      // Of the township, when there is one: of person n it is 1 + n % 30.
      persons: Array.from(
        { length: 40 },
        (_, at) => 30 * (1 + ((index * 997 + at * 131) % Math.floor(persons / 31))) + (township ?? 1) - 1,
      ),
    });
  }
  return officers;
}

async function atWork(work: OfficersAtWork): Promise<Answered[]> {
  return new Promise((resolve, reject) => {
    const worker = new Worker(new URL('./officers.ts', import.meta.url), { workerData: work });
    worker.once('message', resolve);
    worker.once('error', reject);
  });
}

/** Milliseconds of processors that this process and the warehouse have had: other work does not change that. */
async function processorTime(warehouse: Warehouse): Promise<number> {
  const { rows } = await sql<{ pid: number }>`
    SELECT pid FROM pg_stat_activity WHERE backend_type = 'client backend'`.execute(warehouse.db);
  const sessions = rows.map(({ pid }) => statOf(pid));
  // The server process has the time of the sessions that have ended.
  const ended = statOf(Number(sessions[0]?.[1]));
  const ticks = sessions.reduce((sum, of) => sum + Number(of[11] ?? 0) + Number(of[12] ?? 0), 0);
  const own = process.cpuUsage();
  return (
    (ticks + Number(ended[13] ?? 0) + Number(ended[14] ?? 0)) * MILLISECONDS_OF_A_TICK +
    (own.user + own.system) / 1000
  );
}

/** What /proc says of a process, from its state on; nothing when it has ended. */
function statOf(pid: number): string[] {
  try {
    return readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
  } catch {
    return [];
  }
}

function quantile(times: readonly number[], share: number): string {
  const sorted = times.toSorted((left, right) => left - right);
  return (sorted[Math.ceil(share * sorted.length) - 1] ?? 0).toFixed(1);
}
