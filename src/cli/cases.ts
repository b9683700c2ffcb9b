import { type Command, Option } from 'commander';
import { describeEvidence } from '../anomalies/evidence-text.ts';
import { actOnCase } from '../anomalies/queue/actions.ts';
import { actInBulk, previewBulk, undoBulk } from '../anomalies/queue/bulk.ts';
import { listGroups } from '../anomalies/queue/groups.ts';
import { type CasePage, listCases } from '../anomalies/queue/list.ts';
import type { CaseOrder } from '../anomalies/queue/order.ts';
import { type CaseEvent, readCase, showCase, stateOf } from '../anomalies/queue/show.ts';
import { type Action, actionsAllowed, TRANSITIONS } from '../anomalies/queue/transitions.ts';
import { reasonText } from '../anomalies/queue/words.ts';
import { today } from '../schema/warehouse/today.ts';
import {
  type ActionOptions,
  actorOf,
  descriptionOf,
  type FilterOptions,
  filterOf,
  requestOf,
  withAction,
  withFilter,
} from './case-options.ts';
import { numberArgument, plain, say, sayJson, sayRows, table } from './output.ts';
import { withSession } from './session.ts';
import { addSuppressions } from './suppressions.ts';

/** `cases`: the officers' queue. */
export function addCaseCommands(program: Command): void {
  const cases = program.command('cases').description('the officers’ queue 疑点办理');
  addReading(cases);
  for (const { action } of TRANSITIONS) addAction(cases, action);
  addBulk(cases);
  addSuppressions(cases);
}

function addReading(cases: Command): void {
  withFilter(
    cases.command('list').description('one page of cases, the most urgent first, and how many there are'),
  )
    .addOption(
      new Option('--order <order>', 'what comes first').choices(['priority', 'due']).default('priority'),
    )
    .option('--limit <n>', 'cases of a page, at most 200', '50')
    .option('--after <end>', 'the page after this one: `next` of the page before')
    .option('--json', 'one JSON object on stdout: {"counts", "cases", "next"}')
    .action(
      async (
        options: FilterOptions & { order: CaseOrder; limit: string; after?: string; json?: boolean },
      ) => {
        const page = await withSession(async (session) => {
          const day = await today(session.warehouse);
          return listCases(session.warehouse, {
            filter: await filterOf(session, options, day),
            order: options.order,
            limit: Math.min(numberArgument(options.limit), 200),
            after: options.after ?? null,
            today: day,
            groupAbove: session.configuration.settings.queue.group_above,
          });
        });
        if (options.json) sayJson(page);
        else sayPage(page);
      },
    );

  cases
    .command('groups')
    .description('the cases of one rule that one delivery brought, where they are many 成批疑点')
    .option('--json', 'one JSON object on stdout: {"groups": [...]}')
    .action(async (options: { json?: boolean }) => {
      const groups = await withSession(({ warehouse, configuration }) =>
        listGroups(warehouse, configuration.settings.queue.group_above),
      );
      if (options.json) sayJson({ groups });
      else sayRows(groups, 'no groups');
    });

  cases
    .command('show')
    .argument('<id>')
    .description('one case: what is known, what happened, what may be done')
    .option('--as <name>', 'who looks; the user of this computer unless given')
    .option('--purpose <text>', 'why you look; kept with your name')
    .option('--json', 'one JSON object on stdout: {"case", "actions", "events", "related"}')
    .action(async (id: string, options: { as?: string; purpose?: string; json?: boolean }) => {
      const caseId = numberArgument(id);
      const { purpose } = options;
      const { shown, actions } = await withSession(async (session) => {
        const actor = actorOf(session, options);
        const found = await showCase(session.warehouse, caseId, { actor, purpose });
        return { shown: found, actions: actionsAllowed(stateOf(found.case), actor) };
      });
      if (options.json) return sayJson({ ...shown, actions });
      const { evidence, ...fields } = shown.case;
      say(table(Object.entries(fields).map(([name, value]) => [name, plain(value)])));
      say(`evidence 依据  ${describeEvidence(evidence, fields.feed)}`);
      for (const { action, label, asks, reasons } of actions)
        say(
          `${action} ${label.zh}: asks for reason (${reasons.map(({ code }) => reasonText(code)).join(', ')})${asks.map((ask) => `, ${ask}`).join('')}`,
        );
      for (const event of shown.events) say(lineOf(event));
      for (const other of shown.related)
        say(`same person: case ${other.anomaly_id} ${other.rule} ${other.status}`);
    });
}

/** `assign`, `return`, `resolve`, `dismiss`, `reopen`. */
function addAction(cases: Command, action: Action): void {
  withAction(cases.command(action).argument('<id>').description(descriptionOf(action)), action)
    .option('--seen <version>', 'the version that you looked at; the current one unless given')
    .option('--json', 'one JSON object on stdout: {"anomaly_id", "version"}')
    .action(async (id: string, options: ActionOptions & { seen?: string }) => {
      const caseId = numberArgument(id);
      const seen = options.seen === undefined ? null : numberArgument(options.seen);
      const version = await withSession(async (session) => {
        const request = await requestOf(session, action, options);
        const current = seen ?? (await readCase(session.warehouse.db, caseId)).case.version;
        return actOnCase(session.warehouse, caseId, current, request);
      });
      if (options.json) sayJson({ anomaly_id: caseId, version });
      else say(`case ${caseId} is at version ${version}`);
    });
}

function addBulk(cases: Command): void {
  const bulk = cases.command('bulk').description('one action upon all cases of a filter 批量办理');
  for (const { action } of TRANSITIONS)
    withFilter(withAction(bulk.command(action).description(descriptionOf(action)), action))
      .option('--limit <n>', 'at most so many cases; `queue.bulk_limit` unless given')
      .option('--dry-run', 'only say how many cases, and which for example')
      .option('--json', 'one JSON object on stdout')
      .action(async (options: ActionOptions & FilterOptions & { limit?: string; dryRun?: true }) => {
        await withSession(async (session) => {
          const { bulk_limit, group_above } = session.configuration.settings.queue;
          const request = await requestOf(session, action, options);
          const limit = options.limit === undefined ? bulk_limit : numberArgument(options.limit);
          const whole = {
            ...request,
            filter: await filterOf(session, options, request.today),
            limit: Math.min(limit, bulk_limit),
            groupAbove: group_above,
          };
          const result = options.dryRun
            ? await previewBulk(session.warehouse, whole)
            : await actInBulk(session.warehouse, whole);
          if (options.json) return sayJson(result);
          if ('matching' in result) {
            say(`${result.matching} cases, at most ${whole.limit} of them at once; the first:`);
            sayRows(
              result.examples.map(({ anomaly_id, rule, status, due_on }) => ({
                anomaly_id,
                rule,
                status,
                due_on,
              })),
              'none',
            );
          } else if (result.cases === 0) say('no case of the filter allows it: nothing is done');
          else
            say(
              `bulk action ${result.bulk_id}: ${result.cases} cases; cases undo ${result.bulk_id} takes it back`,
            );
        });
      });

  cases
    .command('undo')
    .argument('<bulk>')
    .description('take a bulk action back, where nobody has touched the case since 撤销批量办理')
    .option('--as <name>', 'who acts; the user of this computer unless given')
    .option('--json', 'one JSON object on stdout: {"undone", "kept"}')
    .action(async (id: string, options: { as?: string; json?: boolean }) => {
      const bulkId = numberArgument(id);
      const result = await withSession(async (session) => {
        const { warehouse } = session;
        return undoBulk(warehouse, bulkId, {
          actor: actorOf(session, options),
          today: await today(warehouse),
        });
      });
      if (options.json) sayJson(result);
      else say(`${result.undone} cases are as they were, ${result.kept} have been touched since`);
    });
}

function sayPage({ counts, cases, next }: CasePage): void {
  const by = (counted: Readonly<Record<string, number>>): string =>
    Object.entries(counted)
      .map(([name, n]) => `${name} ${n}`)
      .join(', ');
  if (counts.total > 0) {
    say(`${counts.total} cases, ${counts.overdue} overdue: ${by(counts.by_status)}`);
    say(by(counts.by_rule));
  }
  sayRows(
    cases.map(({ version: _, returned_to: _to, opened_on: _on, group: _group, ...shown }) => shown),
    'no cases',
  );
  if (next !== null) say(`more: --after ${next}`);
}

function lineOf({ on_date, kind, actor, from_status, to_status, reason, comment }: CaseEvent): string {
  const way = from_status === null || from_status === to_status ? to_status : `${from_status} → ${to_status}`;
  return [on_date, kind, actor ?? 'the night', way, reasonText(reason), comment ?? ''].join('  ').trimEnd();
}
