import type { Command } from 'commander';
import { sql } from 'kysely';
import { doubtfulRules } from '../anomalies/queue/worth.ts';
import { stuckNotices } from '../jobs/notices/overview.ts';
import type { Warehouse } from '../schema/warehouse/connect.ts';
import { today } from '../schema/warehouse/today.ts';
import { say, sayJson, table } from './output.ts';
import { withSession } from './session.ts';

const MILLISECONDS_A_DAY = 86_400_000;

export function addStatusCommands(program: Command): void {
  program
    .command('status')
    .description('what runs, what is held, how many cases are open 现状')
    .option('--json', 'one JSON object on stdout')
    .action(async (options: { json?: boolean }) => {
      await withSession(async ({ warehouse, configuration }) => {
        const runs = await sql<Record<string, unknown>>`
          SELECT run_id, business_date, status, started_at, finished_at FROM reporting.run
          ORDER BY run_id DESC LIMIT 5`.execute(warehouse.db);
        const waiting = await sql<Record<string, unknown>>`
          SELECT delivery_id, business_date, feed, status, reason FROM reporting.delivery
          WHERE status IN ('held', 'failed', 'landed') ORDER BY delivery_id`.execute(warehouse.db);
        const cases = await sql<Record<string, unknown>>`
          SELECT rule, severity, sum(cases)::bigint AS open FROM anomalies.tally
          WHERE status NOT IN ('resolved', 'dismissed') GROUP BY rule, severity HAVING sum(cases) > 0 ORDER BY rule`.execute(
          warehouse.db,
        );
        const doubtful = await doubtfulRules(
          warehouse,
          configuration.settings.queue,
          ...(await quarter(warehouse)),
        );
        const stuck = await stuckNotices(warehouse);
        if (options.json)
          return sayJson({
            runs: runs.rows,
            waiting: waiting.rows,
            cases: cases.rows,
            doubtful_rules: doubtful,
            stuck_notices: stuck,
          });
        section('runs 运行', runs.rows);
        section('deliveries that wait 待处理批次', waiting.rows);
        section('open cases 疑点', cases.rows);
        section('rules of which officers dismissed many cases in 90 days 多被排除的规则', doubtful);
        if (stuck.length > 0) section('notices that do not get through 未送达的通知', stuck);
      });
    });
}

/** The last 90 days: first and last. */
async function quarter(warehouse: Warehouse): Promise<[from: string, to: string]> {
  const to = await today(warehouse);
  return [new Date(Date.parse(to) - 90 * MILLISECONDS_A_DAY).toISOString().slice(0, 10), to];
}

function section(title: string, rows: readonly object[]): void {
  say(title);
  const [first] = rows;
  if (first === undefined) {
    say('  none\n');
    return;
  }
  const text = (value: unknown): string =>
    value instanceof Date ? value.toISOString() : String(value ?? '');
  say(`${table([Object.keys(first), ...rows.map((row) => Object.values(row).map(text))])}\n`);
}
