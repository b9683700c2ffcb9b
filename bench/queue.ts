// How fast the officers' queue answers with a million open cases: pages with their counts, by many filters, at the
// beginning, in the middle and at the end; and again after a day of clicks without a night. Beside the clock it tells
// the processor time of server and client together, because other work on the machine does not change that.
import { readFileSync } from 'node:fs';
import { mkdtemp } from 'node:fs/promises';
import { loadavg, tmpdir } from 'node:os';
import path from 'node:path';
import { sql } from 'kysely';
import { type ActionRequest, actOnCase } from '../src/anomalies/queue/actions.ts';
import { loadDueDates } from '../src/anomalies/queue/due-dates.ts';
import { type CaseFilter, caseConditions } from '../src/anomalies/queue/filter.ts';
import { groupKeys, listGroups } from '../src/anomalies/queue/groups.ts';
import { type CasePage, listCases } from '../src/anomalies/queue/list.ts';
import { type CaseOrder, PRIORITY, placeOf, writeCursor } from '../src/anomalies/queue/order.ts';
import { showCase } from '../src/anomalies/queue/show.ts';
import { foldTallies } from '../src/anomalies/queue/tallies.ts';
import type { Actor } from '../src/anomalies/queue/transitions.ts';
import { loadConfiguration } from '../src/schema/configuration/load.ts';
import { CONTRACTS } from '../src/schema/contracts/index.ts';
import { openWarehouse, type Warehouse } from '../src/schema/warehouse/connect.ts';
import { startEmbedded } from '../src/schema/warehouse/embedded.ts';
import { migrate } from '../src/schema/warehouse/migrate.ts';
import { fillCases } from './cases.ts';
import { removeServer } from './server.ts';
import { printTable } from './table.ts';

const [openCases = 1_000_000] = process.argv.slice(2).map(Number);
const ROUNDS = 20;
const PAGE = 50;
const GROUP_ABOVE = 100;
const MILLISECONDS_OF_A_TICK = 10;
const TODAY = '2026-11-18';
const SUPERVISOR: Actor = { name: 'supervisor', role: 'supervisor' };

/** Filters as officers, supervisors and the curious use them. */
const FILTERS: Readonly<Record<string, CaseFilter>> = {
  'all open': {},
  'the county': { division: '620802' },
  'the largest township': { division: '620802001000' },
  'one township': { division: '620802007000' },
  'one village': { division: '620802007003' },
  'one rule': { rule: ['MP06'] },
  'a family': { family: ['MP'] },
  'low severity': { severity: ['low'] },
  'one department': { department: ['civil-affairs'] },
  'a feed with few cases': { feed: ['village_report'] },
  'of one officer': { owner: 'officer 7' },
  returned: { status: ['returned'] },
  overdue: { due_before: TODAY },
  'a township, a family, returned': { division: '620802007000', family: ['ID'], status: ['returned'] },
  'a department, low, due soon': {
    department: ['public-security'],
    severity: ['low'],
    due_before: '2026-10-10',
  },
  'another county': { division: '620102' },
  'no group': { outside_groups: true },
  // What the scopes of accounts let through.
  'scope: a department': { desk: 'civil-affairs' },
  'scope: county, department': { division: '620802', desk: 'civil-affairs' },
  'scope: largest township, department': { division: '620802001000', desk: 'civil-affairs' },
  'scope: township, department': { division: '620802007000', desk: 'civil-affairs' },
  'scope: village, department': { division: '620802007003', desk: 'civil-affairs' },
  'largest township, no group': { division: '620802001000', outside_groups: true },
  'largest township, overdue': { division: '620802001000', due_before: TODAY },
  'largest township, a family': { division: '620802001000', family: ['MP'] },
  'township, department, no group': { division: '620802007000', desk: 'civil-affairs', outside_groups: true },
  'one group': { group: 'MP06:household_register:20260901.1' },
  'of one person': { person: 4711 },
  closed: { status: ['resolved', 'dismissed'] },
};

const folder = await mkdtemp(path.join(tmpdir(), 'popshare-bench-'));
const server = await startEmbedded({ folder: path.join(folder, 'postgres') });
try {
  const warehouse = await openWarehouse(server.url);
  await migrate(warehouse, CONTRACTS);
  await fillCases(warehouse, openCases);
  const places = await placesOf(warehouse);
  await measurePages(warehouse, places);
  const groups = await timed(ROUNDS, () => listGroups(warehouse, GROUP_ABOVE));
  const one = await timed(100, (round) => showCase(warehouse, 1 + round * 1_000, { actor: SUPERVISOR }));
  const click = await clicks(warehouse, Math.round(openCases / 50));
  process.stdout.write(`\nafter ${click.length} clicks without a night\n`);
  await measurePages(warehouse, places);
  const fold = await timed(1, () => warehouse.db.transaction().execute(foldTallies));
  printTable(
    ['what', 'p50 ms', 'p95 ms'],
    Object.entries({
      groups,
      'one case': one,
      'a click, 8 at once': click,
      'entering what is left in the journal': fold,
    }).map(([what, times]) => [what, quantile(times, 0.5), quantile(times, 0.95)]),
  );
  process.stdout.write(`load of the machine: ${loadavg()[0]?.toFixed(1)}\n`);
  await warehouse.close();
} finally {
  await removeServer(server, folder);
}

/** What is measured: a filter in an order, and where its first, a middle and its last page begin. */
interface Measured {
  readonly name: string;
  readonly filter: CaseFilter;
  readonly order: CaseOrder;
  readonly ends: readonly (string | null)[];
}

async function placesOf(warehouse: Warehouse): Promise<Measured[]> {
  const places: Measured[] = [];
  for (const [name, filter] of Object.entries(FILTERS))
    for (const order of ['priority', 'due'] as const) {
      const { total } = (await readPage(warehouse, { filter, order }, null)).counts;
      const middle = await endAt(warehouse, filter, order, Math.floor(total / 2));
      const last = await endAt(warehouse, filter, order, total - PAGE);
      places.push({ name, filter, order, ends: [null, middle, last] });
    }
  return places;
}

/** Pages with all their counts. */
async function measurePages(warehouse: Warehouse, places: readonly Measured[]): Promise<void> {
  const lines: string[][] = [];
  for (const place of places) {
    const { total } = (await readPage(warehouse, place, null)).counts;
    const line = [place.name, place.order, String(total)];
    for (const end of place.ends) {
      const before = await processorTime(warehouse);
      const times = await timed(ROUNDS, () => readPage(warehouse, place, end));
      const spent = ((await processorTime(warehouse)) - before) / ROUNDS;
      line.push(`${quantile(times, 0.5)} / ${quantile(times, 0.95)} / ${spent.toFixed(1)}`);
    }
    lines.push(line);
  }
  const pages = ['first', 'middle', 'last'].map((page) => `${page} page p50 / p95 / processor ms`);
  printTable(['filter', 'order', 'cases', ...pages], lines);
}

function readPage(
  warehouse: Warehouse,
  { filter, order }: Pick<Measured, 'filter' | 'order'>,
  after: string | null,
): Promise<CasePage> {
  return listCases(warehouse, { filter, order, limit: PAGE, after, today: TODAY, groupAbove: GROUP_ABOVE });
}

/** Where a page ends after so many rows; null when there are none before it. */
async function endAt(
  warehouse: Warehouse,
  filter: CaseFilter,
  order: CaseOrder,
  rows: number,
): Promise<string | null> {
  if (rows <= 0) return null;
  const groups = await groupKeys(warehouse.db, GROUP_ABOVE);
  const { rows: found } = await sql<{ priority: number; due_on: string; anomaly_id: number }>`
    SELECT * FROM (SELECT ${PRIORITY} AS priority, due_on, anomaly_id FROM anomalies.anomaly a
                   WHERE ${caseConditions(filter, sql`a`, groups)}) c
    ORDER BY ${placeOf(order, sql`c`)}, anomaly_id OFFSET ${rows - 1} LIMIT 1`.execute(warehouse.db);
  const row = found[0];
  return row === undefined ? null : writeCursor([row.priority, row.due_on, row.anomaly_id]);
}

/** So many new cases are given to somebody, one at a time, by eight officers at once; the milliseconds of each. */
async function clicks(warehouse: Warehouse, count: number): Promise<number[]> {
  const { rows } = await sql<{ anomaly_id: number }>`
    SELECT anomaly_id FROM anomalies.anomaly WHERE status = 'new' ORDER BY hashint8(anomaly_id) LIMIT ${count}`.execute(
    warehouse.db,
  );
  const dueDates = await loadDueDates(await loadConfiguration('config'));
  const requestOf = (caseId: number): ActionRequest => ({
    action: 'assign',
    actor: SUPERVISOR,
    reason: 'by_division',
    owner: `officer ${caseId % 40}`,
    today: TODAY,
    dueDates,
  });
  const times: number[] = [];
  const left = rows.values();
  await Promise.all(
    Array.from({ length: 8 }, async () => {
      for (const { anomaly_id } of left)
        times.push(...(await timed(1, () => actOnCase(warehouse, anomaly_id, 1, requestOf(anomaly_id)))));
    }),
  );
  return times;
}

/** What the server's connections and this process have used of the processor, in milliseconds. */
async function processorTime(warehouse: Warehouse): Promise<number> {
  const { rows } = await sql<{ pid: number }>`
    SELECT pid FROM pg_stat_activity WHERE backend_type = 'client backend'`.execute(warehouse.db);
  const ticks = rows.map(({ pid }) => {
    const [, fields = ''] = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ');
    const [user = 0, system = 0] = fields.split(' ').slice(11, 13).map(Number);
    return user + system;
  });
  const { user, system } = process.cpuUsage();
  return ticks.reduce((sum, one) => sum + one, 0) * MILLISECONDS_OF_A_TICK + (user + system) / 1_000;
}

async function timed(rounds: number, work: (round: number) => Promise<unknown>): Promise<number[]> {
  const times: number[] = [];
  for (let round = 0; round < rounds; round++) {
    const started = performance.now();
    await work(round);
    times.push(performance.now() - started);
  }
  return times;
}

function quantile(times: readonly number[], share: number): string {
  const sorted = times.toSorted((left, right) => left - right);
  return (sorted[Math.ceil(share * sorted.length) - 1] ?? 0).toFixed(1);
}
