import type { Command } from 'commander';
import type { ActionRequest } from '../anomalies/queue/actions.ts';
import { loadDueDates, yearsLacking } from '../anomalies/queue/due-dates.ts';
import { type CaseFilter, readFilter } from '../anomalies/queue/filter.ts';
import { requireKnown } from '../anomalies/queue/known.ts';
import { type Action, type Actor, TRANSITIONS } from '../anomalies/queue/transitions.ts';
import { reasonText } from '../anomalies/queue/words.ts';
import { today } from '../schema/warehouse/today.ts';
import { numberArgument, tell } from './output.ts';
import type { Session } from './session.ts';

/** What a filter can be given as on the command line. */
export interface FilterOptions {
  readonly status?: string[];
  readonly rule?: string[];
  readonly family?: string[];
  readonly severity?: string[];
  readonly department?: string[];
  readonly desk?: string;
  readonly feed?: string[];
  readonly division?: string;
  readonly owner?: string;
  readonly dueBefore?: string;
  readonly overdue?: true;
  readonly person?: string;
  readonly group?: string;
  readonly outsideGroups?: true;
}

export interface ActionOptions {
  readonly as?: string;
  readonly reason: string;
  readonly comment?: string;
  readonly to?: string;
  readonly json?: boolean;
}

export function withFilter(command: Command): Command {
  return command
    .option(
      '--status <status...>',
      'new, assigned, returned, resolved, dismissed; the open ones unless given',
    )
    .option('--rule <rule...>', 'of these rules')
    .option('--family <family...>', 'of these families of rules: DQ, ID, MP, FD, ST')
    .option('--severity <severity...>', 'high, medium, low')
    .option('--department <department...>', 'that these departments can mend')
    .option('--desk <department>', 'that this department can mend, or that were returned to it')
    .option('--division <code>', 'in this division and all below it')
    .option('--owner <name>', 'of this officer')
    .option('--due-before <date>', 'due earlier than this day')
    .option('--overdue', 'due before today')
    .option('--person <id>', 'of this person')
    .option('--feed <feed...>', 'of records of these feeds')
    .option('--group <group>', 'of this group, as `cases groups` names it')
    .option('--outside-groups', 'of no group');
}

export function withAction(command: Command, action: Action): Command {
  const transition = TRANSITIONS.find((candidate) => candidate.action === action);
  command
    .requiredOption(
      '--reason <code>',
      transition?.reasons.map(({ code }) => reasonText(code)).join(', ') ?? '',
    )
    .option('--comment <text>', 'what you found; kept with your name')
    .option('--as <name>', 'who acts; the user of this computer unless given');
  if (action === 'assign') command.option('--to <name>', 'who is to have it');
  if (action === 'return') command.option('--to <department>', 'which department; the rule’s unless given');
  return command;
}

export function descriptionOf(action: Action): string {
  const label = TRANSITIONS.find((candidate) => candidate.action === action)?.label;
  return `${label?.en ?? action} ${label?.zh ?? ''}`;
}

export async function requestOf(
  session: Session,
  action: Action,
  options: ActionOptions,
): Promise<ActionRequest> {
  const day = await today(session.warehouse);
  const dueDates = await loadDueDates(session.configuration);
  const years = yearsLacking(dueDates, day);
  if (years.length > 0)
    tell(`calendar.yaml has no year ${years.join(', ')}: due dates there know weekends only`);
  return {
    action,
    actor: actorOf(session, options),
    reason: options.reason,
    comment: options.comment,
    owner: action === 'assign' ? options.to : undefined,
    department: action === 'return' ? options.to : undefined,
    today: day,
    dueDates,
  };
}

/** @throws CASE_INPUT when it is no filter, or names what there is not */
export async function filterOf(
  { warehouse, rules }: Session,
  options: FilterOptions,
  day: string,
): Promise<CaseFilter> {
  const { status, rule, family, severity, department, desk, feed, division, owner, group } = options;
  const given = {
    ...{ status, rule, family, severity, department, desk, feed, division, owner, group },
    due_before: options.overdue ? day : options.dueBefore,
    person: options.person === undefined ? undefined : numberArgument(options.person),
    outside_groups: options.outsideGroups,
  };
  const filter = readFilter(
    Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined)),
  );
  await requireKnown(warehouse, filter, rules);
  return filter;
}

/** Whoever has this command line has the whole queue. */
export function actorOf({ user }: Session, { as }: { readonly as?: string }): Actor {
  return { name: as ?? user, role: 'supervisor' };
}
