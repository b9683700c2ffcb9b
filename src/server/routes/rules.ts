import { z } from 'zod';
import { doubtfulRules, ruleWorth } from '../../anomalies/queue/worth.ts';
import { PopshareError } from '../../schema/errors.ts';
import type { Server, ServerContext } from '../context.ts';
import { PROBLEMS } from '../problems.ts';

const words = z.object({ zh: z.string(), en: z.string() });

const rule = z
  .object({
    rule: z.string(),
    title: words,
    severity: z.enum(['high', 'medium', 'low', 'info']),
    owner: z.string(),
    definition: z.string(),
    resolved_by: z.string(),
    parameters: z.record(z.string(), z.union([z.number(), z.string()])),
  })
  .meta({ id: 'Rule' });

const worth = z.object({
  rule: z.string(),
  opened: z.int(),
  confirmed: z.int(),
  dismissed: z.int(),
  self_healed: z.int(),
  resolved_otherwise: z.int(),
  median_age_days: z.number().nullable(),
  open: z.int(),
});

/** Of whose closed cases officers dismissed so many that somebody should look at the rule. */
const doubtful = z.object({
  rule: z.string(),
  closed: z.int(),
  dismissed: z.int(),
  dismissed_percent: z.int(),
});

/** `/api/rules`: what is looked for, and what each rule was worth. Rules are files; nothing here changes them. */
export function addRuleRoutes(server: Server, context: ServerContext): void {
  const shown = context.rules.map(
    ({ rule: code, title, severity, owner, definition, resolved_by, parameters }) => ({
      rule: code,
      title,
      severity,
      owner,
      definition,
      resolved_by,
      parameters,
    }),
  );

  server.get(
    '/api/rules',
    {
      config: { access: 'rules' },
      schema: {
        tags: ['rules'],
        summary: 'The rules in force',
        response: { 200: z.object({ items: z.array(rule) }), ...PROBLEMS },
      },
    },
    async () => ({ items: shown }),
  );

  server.get(
    '/api/rules/:rule',
    {
      config: { access: 'rules' },
      schema: {
        tags: ['rules'],
        summary: 'One rule',
        params: z.object({ rule: z.string() }),
        response: { 200: rule, ...PROBLEMS },
      },
    },
    async (request) => {
      const found = shown.find((candidate) => candidate.rule === request.params.rule);
      if (found === undefined) throw new PopshareError('RULE_UNKNOWN', 'there is no such rule');
      return found;
    },
  );

  server.get(
    '/api/rule-worth',
    {
      config: { access: 'run nights' },
      schema: {
        tags: ['rules'],
        summary: 'What each rule was worth in a period: opened, confirmed, dismissed, healed, median age',
        querystring: z.object({ from: z.iso.date(), to: z.iso.date() }),
        response: { 200: z.object({ items: z.array(worth), doubtful: z.array(doubtful) }), ...PROBLEMS },
      },
    },
    // Counts over all cases, of no person: the operator, who sees no case, has them from the engine.
    async ({ query: { from, to } }) => ({
      items: await ruleWorth(context.engine, from, to),
      doubtful: await doubtfulRules(context.engine, context.configuration.settings.queue, from, to),
    }),
  );
}
