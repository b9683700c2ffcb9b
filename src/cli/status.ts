import type { Command } from 'commander';
import { sql } from 'kysely';
import { DOUBT_DAYS, doubtfulOfLate } from '../anomalies/queue/worth.ts';
import { lateFeeds } from '../jobs/late-feeds.ts';
import { stuckNotices } from '../jobs/notices/overview.ts';
import { say, sayJson, table } from './output.ts';
import { withSession } from './session.ts';

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
        const late = await lateFeeds(warehouse.db, configuration, null);
        const doubtful = await doubtfulOfLate(warehouse, configuration.settings.queue);
        const stuck = await stuckNotices(warehouse);
        if (options.json)
          return sayJson({
            runs: runs.rows,
            waiting: waiting.rows,
            late_feeds: late,
            cases: cases.rows,
            doubtful_rules: doubtful,
            stuck_notices: stuck,
          });
        section('runs 运行', runs.rows);
        section('deliveries that wait 待处理批次', waiting.rows);
        section('feeds that were not here in time 未按时报送', late);
        section('open cases 疑点', cases.rows);
        section(
          `rules of which officers dismissed many cases in ${DOUBT_DAYS} days 多被排除的规则`,
          doubtful,
        );
        if (stuck.length > 0) section('notices that do not get through 未送达的通知', stuck);
      });
    });
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
