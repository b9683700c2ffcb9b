import { readFile } from 'node:fs/promises';
import type { Command } from 'commander';
import { sql } from 'kysely';
import { doubtfulOfLate, doubtfulRules, ruleWorth } from '../anomalies/queue/worth.ts';
import { parseRule, type Rule } from '../anomalies/rule-file.ts';
import { type RuleTrial, tryRule } from '../anomalies/try-rule.ts';
import { PopshareError } from '../schema/errors.ts';
import { today } from '../schema/warehouse/today.ts';
import { dateArgument, plain, say, sayJson, sayRows, table } from './output.ts';
import { doubtLine } from './report.ts';
import { type Session, withSession } from './session.ts';

/** `rules`: what is looked for, what came of it, and what a new rule would find. */
export function addRuleCommands(program: Command): void {
  const rules = program.command('rules').description('the anomaly rules 疑点规则');

  rules
    .command('list')
    .description(
      'the rules, their open cases, the time that they took last, and those that officers find wrong too often',
    )
    .option('--json', 'one JSON object on stdout: {"rules": [...], "doubtful": [...]}')
    .action(async (options: { json?: boolean }) => {
      const listed = await withSession(async (session) => ({
        rules: await listRules(session),
        doubtful: await doubtfulOfLate(session.warehouse, session.configuration.settings.queue),
      }));
      if (options.json) return sayJson(listed);
      sayRows(listed.rules, 'no rules');
      for (const doubt of listed.doubtful) say(doubtLine(doubt));
    });

  rules
    .command('show')
    .argument('<rule>')
    .description('one rule: its definition, parameters, and what mends what it finds')
    .option('--json', 'one JSON object on stdout')
    .action(async (code: string, options: { json?: boolean }) => {
      const shown = await withSession(async (session) => {
        const { bind: _, select: _select, line: _line, ...header } = ruleOf(session, code);
        const state = (await listRules(session)).find(({ rule }) => rule === code);
        return { ...header, open: state?.open ?? 0, as_of: state?.as_of ?? null, ms: state?.ms ?? null };
      });
      if (options.json) return sayJson(shown);
      const lines = { ...shown, title: `${shown.title.zh} ${shown.title.en}` };
      say(table(Object.entries(lines).map(([name, value]) => [name, plain(value)])));
    });

  rules
    .command('try')
    .argument('<file>')
    .description(
      'what a rule’s file finds in the data as they stand; nothing is kept, no case is touched 试运行',
    )
    .option('--date <date>', 'the night that it is tried for; today unless given')
    .option('--json', 'one JSON object on stdout')
    .action(async (file: string, options: { date?: string; json?: boolean }) => {
      const date = options.date === undefined ? null : dateArgument(options.date);
      const trial = await withSession(async ({ warehouse }) => {
        const rule = parseRule(await readRule(file), file);
        return tryRule(warehouse, rule, date ?? (await today(warehouse)));
      });
      if (options.json) sayJson(trial);
      else sayTrial(trial);
    });

  rules
    .command('worth')
    .description('what came of each rule’s cases, and which rules officers find wrong too often 规则成效')
    .option('--from <date>', 'the first day; a year ago unless given')
    .option('--to <date>', 'the last day; today unless given')
    .option('--json', 'one JSON object on stdout: {"rules": [...], "doubtful": [...]}')
    .action(async (options: { from?: string; to?: string; json?: boolean }) => {
      const from = options.from === undefined ? null : dateArgument(options.from);
      const to = options.to === undefined ? null : dateArgument(options.to);
      if (from !== null && to !== null && from > to)
        throw new PopshareError('USAGE', `--from ${from} is after --to ${to}`);
      const found = await withSession(async ({ warehouse, configuration }) => {
        const last = to ?? (await today(warehouse));
        const first = from ?? `${Number(last.slice(0, 4)) - 1}${last.slice(4).replace('-02-29', '-02-28')}`;
        return {
          rules: await ruleWorth(warehouse, first, last),
          doubtful: await doubtfulRules(warehouse, configuration.settings.queue, first, last),
        };
      });
      if (options.json) return sayJson(found);
      sayRows(found.rules, 'no cases yet');
      for (const doubt of found.doubtful) say(doubtLine(doubt));
    });
}

interface ListedRule {
  readonly rule: string;
  readonly title: string;
  readonly severity: string;
  readonly owner: string;
  readonly open: number;
  readonly as_of: string | null;
  readonly ms: number | null;
}

async function listRules({ warehouse, rules }: Session): Promise<ListedRule[]> {
  const { rows } = await sql<{ rule: string; open: number | null; as_of: string | null; ms: number | null }>`
    SELECT rule, open, s.as_of, s.milliseconds AS ms FROM anomalies.rule_state s
    FULL JOIN (SELECT rule, sum(cases)::bigint AS open FROM anomalies.tally
               WHERE status IN ('new', 'assigned', 'returned') GROUP BY rule) t USING (rule)`.execute(
    warehouse.db,
  );
  return rules.map(({ rule, title, severity, owner }) => {
    const state = rows.find((row) => row.rule === rule);
    const { open, as_of, ms } = state ?? { open: 0, as_of: null, ms: null };
    return { rule, title: `${title.zh} ${title.en}`, severity, owner, open: open ?? 0, as_of, ms };
  });
}

/** @throws RULE_UNKNOWN */
function ruleOf({ rules }: Session, code: string): Rule {
  const rule = rules.find((candidate) => candidate.rule === code);
  if (rule === undefined) throw new PopshareError('RULE_UNKNOWN', `there is no rule ${code}`);
  return rule;
}

/** @throws USAGE */
async function readRule(file: string): Promise<string> {
  return readFile(file, 'utf8').catch((error: unknown) => {
    throw new PopshareError('USAGE', `there is no file ${file} that can be read`, { cause: error });
  });
}

function sayTrial(trial: RuleTrial): void {
  const { opened, reopened, changed, same, closed, settled } = trial.difference;
  say(`${trial.rule} on ${trial.as_of}: ${trial.found} found in ${trial.milliseconds} ms`);
  say(`the planner expects ${trial.plan_rows} rows at a cost of ${Math.round(trial.plan_cost)}`);
  say(
    `against the cases that stand: ${opened} would open, ${reopened} reopen, ${changed} take other evidence,`,
  );
  say(`${closed} close; ${same} stay open and ${settled} closed as they are`);
  sayRows(trial.examples, 'nothing found');
}
