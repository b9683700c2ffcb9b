import type { Command } from 'commander';
import { readFilter } from '../anomalies/queue/filter.ts';
import { requireKnownPlace } from '../anomalies/queue/known.ts';
import {
  liftSuppression,
  listSuppressions,
  SUPPRESSION_REASONS,
  suppress,
} from '../anomalies/queue/suppression.ts';
import { reasonText } from '../anomalies/queue/words.ts';
import { PopshareError } from '../schema/errors.ts';
import { today } from '../schema/warehouse/today.ts';
import { actorOf } from './case-options.ts';
import { dateArgument, numberArgument, say, sayJson, sayRows } from './output.ts';
import { withSession } from './session.ts';

/** `cases suppress` and `cases suppressions`. */
export function addSuppressions(cases: Command): void {
  cases
    .command('suppress')
    .argument('<rule>')
    .description('keep what a rule finds out of the queue until a day 屏蔽')
    .option('--subject <subject>', 'of one subject, as a case names it')
    .option('--person <id>', 'of one person')
    .option('--feed <feed>', 'of the records of a feed')
    .option('--division <code>', 'of a division and all below it')
    .requiredOption('--until <date>', 'the last day on which it is in force')
    .requiredOption('--reason <code>', SUPPRESSION_REASONS.map(({ code }) => reasonText(code)).join(', '))
    .requiredOption('--comment <text>', 'why; kept with your name')
    .option('--as <name>', 'who acts; the user of this computer unless given')
    .option('--json', 'one JSON object on stdout: {"suppression_id", "cases"}')
    .action(async (rule: string, options: SuppressOptions) => {
      const covers = coversOf(options);
      const until = dateArgument(options.until);
      const result = await withSession(async (session) => {
        const { warehouse, rules } = session;
        if (!rules.some((known) => known.rule === rule))
          throw new PopshareError('RULE_UNKNOWN', `there is no rule ${rule}`);
        await requireKnownPlace(warehouse, covers, rules);
        const { reason, comment } = options;
        const day = await today(warehouse);
        return suppress(warehouse, {
          rule,
          covers,
          until,
          reason,
          comment,
          actor: actorOf(session, options),
          today: day,
        });
      });
      if (options.json) return sayJson(result);
      say(`suppression ${result.suppression_id} until ${until}: ${result.cases} open cases are closed`);
      say('what the nights find of it is kept closed and counted');
    });

  cases
    .command('suppressions')
    .description('what is suppressed, until when, and how many cases that keeps closed')
    .option('--lift <id>', 'end one now; the next night brings its cases back')
    .option('--as <name>', 'who acts; the user of this computer unless given')
    .option('--json', 'one JSON object on stdout: {"suppressions": [...]}')
    .action(async (options: { lift?: string; as?: string; json?: boolean }) => {
      const lifted = options.lift === undefined ? null : numberArgument(options.lift);
      const suppressions = await withSession(async (session) => {
        if (lifted !== null) await liftSuppression(session.warehouse, lifted, actorOf(session, options));
        return listSuppressions(session.warehouse, { after: null, limit: 500 });
      });
      if (options.json) sayJson({ suppressions });
      else sayRows(suppressions, 'no suppressions');
    });
}

interface SuppressOptions {
  readonly subject?: string;
  readonly person?: string;
  readonly feed?: string;
  readonly division?: string;
  readonly until: string;
  readonly reason: string;
  readonly comment: string;
  readonly as?: string;
  readonly json?: boolean;
}

/** @throws USAGE unless exactly one kind of thing is named */
function coversOf({ subject, person, feed, division }: SuppressOptions) {
  const place = { ...(feed === undefined ? {} : { feed }), ...(division === undefined ? {} : { division }) };
  const kinds = [
    ...(subject === undefined ? [] : [{ subject }]),
    ...(person === undefined ? [] : [{ person: numberArgument(person) }]),
    ...(feed === undefined && division === undefined ? [] : [readPlace(place)]),
  ];
  const [only] = kinds;
  if (only === undefined || kinds.length > 1)
    throw new PopshareError('USAGE', 'give --subject, or --person, or --feed and --division or one of these');
  return only;
}

/** @throws CASE_INPUT when the division is no code */
function readPlace(place: { feed?: string; division?: string }) {
  const { division } = readFilter(place.division === undefined ? {} : { division: place.division });
  if (place.feed !== undefined) return { feed: place.feed, ...(division === undefined ? {} : { division }) };
  return { division: division ?? '' };
}
