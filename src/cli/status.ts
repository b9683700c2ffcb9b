import type { Command } from 'commander';
import { sql } from 'kysely';
import { say, sayJson, table } from './output.ts';
import { withSession } from './session.ts';

export function addStatusCommands(program: Command): void {
  program
    .command('status')
    .description('what runs, what is held, how many cases are open 现状')
    .option('--json', 'one JSON object on stdout')
    .action(async (options: { json?: boolean }) => {
      await withSession(async ({ warehouse }) => {
        const runs = await sql<Record<string, unknown>>`
          SELECT run_id, business_date, status, started_at, finished_at FROM reporting.run
          ORDER BY run_id DESC LIMIT 5`.execute(warehouse.db);
        const waiting = await sql<Record<string, unknown>>`
          SELECT delivery_id, business_date, feed, status, reason FROM reporting.delivery
          WHERE status IN ('held', 'failed', 'landed') ORDER BY delivery_id`.execute(warehouse.db);
        const cases = await sql<Record<string, unknown>>`
          SELECT rule, severity, count(*) AS open FROM reporting.anomaly
          WHERE status NOT IN ('resolved', 'dismissed') GROUP BY rule, severity ORDER BY rule`.execute(
          warehouse.db,
        );
        if (options.json) return sayJson({ runs: runs.rows, waiting: waiting.rows, cases: cases.rows });
        section('runs 运行', runs.rows);
        section('deliveries that wait 待处理批次', waiting.rows);
        section('open cases 疑点', cases.rows);
      });
    });
}

function section(title: string, rows: readonly Record<string, unknown>[]): void {
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
