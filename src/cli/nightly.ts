import path from 'node:path';
import type { Command } from 'commander';
import { sql } from 'kysely';
import { type NightlyReport, runNight } from '../jobs/nightly.ts';
import type { Purpose } from '../jobs/run.ts';
import { CONTRACTS } from '../schema/contracts/index.ts';
import { migrate } from '../schema/warehouse/migrate.ts';
import { dateArgument, say, sayJson, tell } from './output.ts';
import { watchNight } from './progress.ts';
import { reportLines } from './report.ts';
import { type Session, withSession } from './session.ts';

/** INTERFACE: 3 = done, and deliveries are held. */
const EXIT_HELD = 3;

interface RunOptions {
  readonly drop?: string;
  readonly feed?: string[];
  readonly json?: boolean;
}

export function addNightlyCommands(program: Command): void {
  program
    .command('migrate')
    .description('bring the warehouse to this version 升级数据库')
    .action(async () => {
      await withSession(
        async ({ warehouse }) => {
          const applied = await migrate(warehouse, CONTRACTS);
          say(
            applied.length === 0
              ? 'nothing to do: the warehouse is at this version'
              : `applied ${applied.join(', ')}`,
          );
        },
        { migrated: false },
      );
    });

  program
    .command('nightly')
    .description('one run for a business date, to the end; safe to repeat 每晚运行')
    .requiredOption('--date <date>', 'business date, YYYY-MM-DD')
    .option('--drop <folder>', 'root of the file drop (default: POPSHARE_DROP, then popshare.yaml)')
    .option('--feed <feed...>', 'only these feeds')
    .option('--json', 'one JSON object on stdout')
    .action(async (options: RunOptions & { date: string }) => {
      const date = dateArgument(options.date);
      await withSession(
        async (session) => {
          await migrate(session.warehouse, CONTRACTS);
          finish(await runDate(session, date, 'nightly', options), options);
        },
        { migrated: false },
      );
    });

  program
    .command('backfill')
    .description('the dates that the ledger lacks, in order 补跑')
    .requiredOption('--from <date>', 'first business date')
    .requiredOption('--to <date>', 'last business date')
    .option('--drop <folder>', 'root of the file drop')
    .option('--json', 'one JSON object on stdout: {"runs": [...]}')
    .action(async (options: RunOptions & { from: string; to: string }) => {
      const [from, to] = [dateArgument(options.from), dateArgument(options.to)];
      await withSession(async (session) => {
        const reports: NightlyReport[] = [];
        for (const date of await lackingDates(session, from, to)) {
          tell(`backfill ${date}`);
          reports.push(await runDate(session, date, 'backfill', options));
        }
        if (options.json) sayJson({ runs: reports });
        else if (reports.length === 0) say('nothing to do: every date has its run');
        for (const report of reports) finish(report, { ...options, silent: options.json === true });
      });
    });
}

/** Runs the flow for one date, from the drop folder that the command, the environment or the configuration names. */
export async function runDate(
  session: Session,
  businessDate: string,
  purpose: Purpose,
  options: RunOptions & { collect?: boolean },
): Promise<NightlyReport> {
  const { environment, configuration, rules, warehouse } = session;
  const feeds = options.feed ?? [];
  const dropFolder = path.resolve(options.drop ?? environment.dropFolder ?? configuration.settings.drop);
  const watched = configuration.bindings
    .map(({ feed }) => feed)
    .filter((feed) => feeds.length === 0 || feeds.includes(feed));
  return watchNight(watched, (progress) =>
    runNight({
      warehouse,
      configuration,
      rules,
      dataFolder: environment.dataFolder,
      dropFolder: options.collect === false ? null : dropFolder,
      businessDate,
      purpose,
      feeds,
      progress,
    }),
  );
}

/** Prints the report and sets the exit code that it calls for. */
export function finish(report: NightlyReport, options: { json?: boolean; silent?: boolean }): void {
  if (!options.silent) {
    if (options.json) sayJson(report);
    else for (const line of reportLines(report)) say(line);
  }
  const held = report.deliveries.some(({ status }) => status === 'held');
  if (report.status === 'failed') process.exitCode = 1;
  else if (held && process.exitCode !== 1) process.exitCode = EXIT_HELD;
}

/** The dates from `from` to `to` that no run has finished, in order. */
async function lackingDates({ warehouse }: Session, from: string, to: string): Promise<string[]> {
  const { rows } = await sql<{ date: string }>`
    SELECT day::date AS date FROM generate_series(${from}::date, ${to}::date, '1 day') AS day
    WHERE NOT EXISTS (SELECT FROM ops.run WHERE business_date = day::date AND status = 'done'
                      AND purpose IN ('nightly', 'backfill'))
    ORDER BY day`.execute(warehouse.db);
  return rows.map(({ date }) => date);
}
