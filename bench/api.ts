// How fast the API answers 50 officers at their pages at the same time, half of them with a county for scope, half with
// a township: an invented county after its first night, with the cases and reviews that this night found; row-level
// security is on. First one officer alone, then 50 with the time to read between two pages, the same while the second
// night runs in a process of its own, and at last 50 who read nothing.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { mkdtemp } from 'node:fs/promises';
import { loadavg, tmpdir } from 'node:os';
import path from 'node:path';
import { Worker } from 'node:worker_threads';
import { sql } from 'kysely';
import { loadRules } from '../src/anomalies/rule-file.ts';
import { runNight } from '../src/jobs/nightly.ts';
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
import { inventedCounty, NIGHTS } from './county.ts';
import type { Answered, OfficersAtWork } from './officers.ts';
import { removeServer } from './server.ts';
import { printTable } from './table.ts';

const [persons = 1_000_000, seconds = 60] = process.argv.slice(2).map(Number);
const OFFICERS = 50;
const SEED = 1;
const MILLISECONDS_OF_A_TICK = 10;
type Officer = OfficersAtWork['officers'][number];

const folder = await mkdtemp(path.join(tmpdir(), 'popshare-bench-'));
const postgres = await startEmbedded({ folder: path.join(folder, 'postgres') });
try {
  const drop = path.join(await inventedCounty(persons, SEED), 'deliveries');
  const warehouse = await openWarehouse(postgres.url);
  await migrate(warehouse, CONTRACTS);
  await firstNight(warehouse, drop);
  const server = await serve(warehouse);
  try {
    const ofCounty = await hire(warehouse, '620802', OFFICERS / 2);
    const ofTowns = await hireInTowns(warehouse, OFFICERS / 2);
    const officers = [...ofCounty, ...ofTowns];
    const measure = (what: string, of: readonly Officer[], readingSeconds: number, until: Promise<unknown>) =>
      tell(warehouse, what, { officers: of, readingSeconds, url: server.url, cookie: SESSION_COOKIE }, until);
    await measure('one officer of a county', ofCounty.slice(0, 1), 0, pause(seconds / 4));
    await measure('one officer of a township', ofTowns.slice(0, 1), 0, pause(seconds / 4));
    const alone = await measure(`${OFFICERS} officers, 2 s to read`, officers, 2, pause(seconds));
    const beside = await measure(
      `${OFFICERS} officers, 2 s to read, while the second night runs`,
      officers,
      2,
      secondNight(postgres.url, drop),
    );
    process.stdout.write('\nthe second night beside them, p95 as a ratio (at most 2 is wanted)\n\n');
    printTable(
      ['what', 'ratio'],
      [...timesOf(alone)].map(([what, times]) => [
        what,
        (quantile(timesOf(beside).get(what) ?? [], 0.95) / quantile(times, 0.95)).toFixed(2),
      ]),
    );
    await tellByStep(warehouse, beside);
    await measure(`${OFFICERS} officers who read nothing`, officers, 0, pause(seconds / 2));
  } finally {
    await server.close();
    await warehouse.close();
  }
} finally {
  await removeServer(postgres, folder);
}

async function firstNight(warehouse: Warehouse, dropFolder: string): Promise<void> {
  const [began, before] = [performance.now(), await processorTime(warehouse)];
  const report = await runNight({
    warehouse,
    configuration: await loadConfiguration('config'),
    rules: await loadRules('config/rules'),
    dataFolder: folder,
    dropFolder,
    businessDate: NIGHTS[0],
    purpose: 'nightly',
    feeds: [],
    progress: { stepBegan() {}, stepEnded() {}, rows() {} },
  });
  await sql`VACUUM ANALYZE`.execute(warehouse.db);
  const open = Object.values(report.anomalies).reduce((sum, { open: cases }) => sum + cases, 0);
  const spent = ((await processorTime(warehouse)) - before) / 1000;
  const passed = (performance.now() - began) / 1000;
  process.stdout.write(
    `${report.identity.persons} persons, ${open} open cases, ${report.identity.reviews} reviews after the first night: ${passed.toFixed(0)} s, ${spent.toFixed(0)} s of processors\n\n`,
  );
  const steps = await stepsOf(warehouse, NIGHTS[0]);
  printTable(
    ['step of the first night', 'seconds'],
    steps.map(({ name, began: from, ended }) => [name, ((ended - from) / 1000).toFixed(1)]),
  );
}

/** As it is run at night: in a process of its own, on the same two cores. */
async function secondNight(databaseUrl: string, drop: string): Promise<void> {
  const began = performance.now();
  const child = spawn(process.execPath, ['bin/popshare.js', 'nightly', '--date', NIGHTS[1], '--drop', drop], {
    env: {
      ...process.env,
      DATABASE_URL: databaseUrl,
      REDIS_URL: '',
      POPSHARE_CONFIG: 'config',
      POPSHARE_DATA: folder,
    },
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  const [code] = await once(child, 'exit');
  process.stdout.write(
    `\nthe second night took ${Math.round((performance.now() - began) / 1000)} s, exit ${code}\n`,
  );
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

/** Officers of a division, who look at what is theirs. */
async function hire(warehouse: Warehouse, division: string, count: number): Promise<Officer[]> {
  const isTown = division.length > 6;
  const { rows: known } = await sql<{ person_id: number }>`
    SELECT person_id FROM population.person WHERE starts_with(registered_division, ${division}) AND death_date IS NULL
    ORDER BY hashint8(person_id) LIMIT ${40 * count}`.execute(warehouse.db);
  const officers: Officer[] = [];
  for (let index = 0; index < count; index++) {
    const name = `bench ${division} ${index}`;
    const { rows } = await sql<{ account_id: number }>`
      INSERT INTO access.account (name, display_name, role, division) VALUES (${name}, 'bench', 'officer', ${division})
      RETURNING account_id`.execute(warehouse.db);
    officers.push({
      token: await openSession(warehouse.db, rows[0]?.account_id ?? 0, { hours: 10, idle_minutes: 600 }),
      lists: isTown
        ? ['', '?order=due', '?severity=low']
        : ['', '?family=ID', '?family=MP', '?severity=high', '?order=due'],
      persons: known.filter((_, at) => at % count === index).map(({ person_id }) => person_id),
    });
  }
  return officers;
}

/** One for each of the townships with the most cases, and then again from the first. */
async function hireInTowns(warehouse: Warehouse, count: number): Promise<Officer[]> {
  const { rows } = await sql<{ town: string }>`
    SELECT left(division, 9) AS town FROM anomalies.anomaly WHERE division LIKE '620802%' AND division NOT LIKE '%000000'
    GROUP BY 1 ORDER BY count(*) DESC, 1 LIMIT ${count}`.execute(warehouse.db);
  const officers: Officer[] = [];
  for (const { town } of rows) officers.push(...(await hire(warehouse, town, 1)));
  return Array.from({ length: count }, (_, index) => officers[index % officers.length]).filter(
    (officer) => officer !== undefined,
  );
}

/** Has officers work until something has happened, and prints how long their answers took. */
async function tell(
  warehouse: Warehouse,
  what: string,
  work: OfficersAtWork,
  until: Promise<unknown>,
): Promise<Answered[]> {
  const [before, began] = [await processorTime(warehouse), performance.now()];
  const answered = await atWork(work, until);
  const spent = (await processorTime(warehouse)) - before;
  const passed = (performance.now() - began) / 1000;
  process.stdout.write(
    `\n${what}: ${(answered.length / passed).toFixed(0)} answers a second, ${(spent / answered.length).toFixed(1)} ms of processors for each; load ${loadavg()[0]?.toFixed(1)}\n\n`,
  );
  printTable(
    ['what', 'answers', 'p50 ms', 'p95 ms', 'p99 ms'],
    [...timesOf(answered)].map(([name, took]) => [
      name,
      String(took.length),
      ...[0.5, 0.95, 0.99].map((share) => quantile(took, share).toFixed(1)),
    ]),
  );
  return answered;
}

/** Milliseconds of the answers by what was asked for. */
function timesOf(answered: readonly Answered[]): Map<string, number[]> {
  return new Map(
    [...Map.groupBy(answered, ({ what }) => what)].map(([what, took]) => [
      what,
      took.map(({ milliseconds }) => milliseconds),
    ]),
  );
}

interface StepTimes {
  readonly name: string;
  /** In milliseconds since 1970, as `ended`. */
  readonly began: number;
  readonly ended: number;
}

/** The steps of the last run of a date, each kind from its first to its last. */
async function stepsOf(warehouse: Warehouse, date: string): Promise<StepTimes[]> {
  const { rows } = await sql<StepTimes>`
    SELECT name, extract(epoch FROM min(started_at))::float8 * 1000 AS began,
           extract(epoch FROM max(finished_at))::float8 * 1000 AS ended
    FROM ops.step WHERE run_id = (SELECT max(run_id) FROM ops.run WHERE business_date = ${date})
    GROUP BY name ORDER BY began`.execute(warehouse.db);
  return rows;
}

/** Which steps of the second night slow the officers down. */
async function tellByStep(warehouse: Warehouse, answered: readonly Answered[]): Promise<void> {
  const steps = await stepsOf(warehouse, NIGHTS[1]);
  process.stdout.write('\nby step of the second night\n\n');
  printTable(
    ['step', 'seconds', 'list p95 ms', 'one case p95 ms'],
    steps.map(({ name, began, ended }) => {
      const times = timesOf(answered.filter(({ at }) => at >= began && at < ended));
      const p95 = (what: string) => quantile(times.get(what) ?? [], 0.95).toFixed(1);
      return [name, ((ended - began) / 1000).toFixed(1), p95('list'), p95('one case')];
    }),
  );
}

async function atWork(work: OfficersAtWork, until: Promise<unknown>): Promise<Answered[]> {
  const worker = new Worker(new URL('./officers.ts', import.meta.url), { workerData: work });
  const told = Promise.withResolvers<Answered[]>();
  worker.once('message', told.resolve);
  worker.once('error', told.reject);
  await Promise.race([until, told.promise]);
  worker.postMessage('stop');
  return told.promise;
}

function pause(forSeconds: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, forSeconds * 1000);
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

function quantile(times: readonly number[], share: number): number {
  const sorted = times.toSorted((left, right) => left - right);
  return sorted[Math.ceil(share * sorted.length) - 1] ?? Number.NaN;
}
