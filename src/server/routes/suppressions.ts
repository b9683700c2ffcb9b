import { z } from 'zod';
import { LONGEST_COMMENT } from '../../anomalies/queue/actions.ts';
import { caseFilterSchema } from '../../anomalies/queue/filter.ts';
import { requireKnownPlace } from '../../anomalies/queue/known.ts';
import {
  liftSuppression,
  listSuppressions,
  type NewSuppression,
  SUPPRESSION_REASONS,
  suppress,
} from '../../anomalies/queue/suppression.ts';
import { PopshareError } from '../../schema/errors.ts';
import { today } from '../../schema/warehouse/today.ts';
import { actorOf } from '../case-scope.ts';
import { principalOf, type Server, type ServerContext } from '../context.ts';
import { PROBLEMS } from '../problems.ts';
import { idInPath, numberCursor, pageAfterId, pageOf, pageQuery } from '../schemas.ts';

const suppression = z.object({
  suppression_id: z.int(),
  rule: z.string(),
  subject: z.string().nullable(),
  person_id: z.int().nullable(),
  feed: z.string().nullable(),
  division: z.string().nullable(),
  until: z.string(),
  actor: z.string(),
  reason: z.string(),
  comment: z.string(),
  lifted_by: z.string().nullable(),
  cases: z.int().describe('open cases that it keeps closed'),
});

const division = caseFilterSchema.shape.division.unwrap();
const coversSchema = z.union([
  z.strictObject({ subject: z.string().min(1) }),
  z.strictObject({ person: z.int().min(1) }),
  z.strictObject({ feed: z.string().min(1), division }),
  z.strictObject({ feed: z.string().min(1) }),
  z.strictObject({ division }),
]) satisfies z.ZodType<NewSuppression['covers']>;

/** `/api/suppressions`: what is not to be brought before an officer for a time. */
export function addSuppressionRoutes(server: Server, context: ServerContext): void {
  const about = { tags: ['anomalies'] };

  server.get(
    '/api/suppressions',
    {
      config: { access: 'cases' },
      schema: {
        ...about,
        summary: 'The suppressions of the own scope, newest first',
        querystring: pageQuery,
        response: { 200: pageOf(suppression), ...PROBLEMS },
      },
    },
    async (request) => {
      const { after, limit } = request.query;
      const found = await context.inScope(request, (scoped) =>
        listSuppressions(scoped, { after: numberCursor(after), limit: limit + 1 }),
      );
      return pageAfterId(found, limit, ({ suppression_id }) => suppression_id);
    },
  );

  server.post(
    '/api/suppressions',
    {
      config: { access: 'cases in bulk' },
      schema: {
        ...about,
        summary: 'Keeps what a rule finds of something out of the queue until a day',
        body: z.strictObject({
          rule: z.string().min(1),
          covers: coversSchema,
          until: z.iso.date(),
          reason: z.enum(SUPPRESSION_REASONS.map(({ code }) => code)),
          comment: z.string().min(1).max(LONGEST_COMMENT),
        }),
        response: { 200: z.object({ suppression_id: z.int(), cases: z.int() }), ...PROBLEMS },
      },
    },
    async (request) => {
      const { rule, covers } = request.body;
      if (!context.rules.some((known) => known.rule === rule))
        throw new PopshareError('RULE_UNKNOWN', `there is no rule ${rule}`);
      const actor = actorOf(principalOf(request));
      return context.inScope(request, async (scoped) => {
        await requireKnownPlace(scoped, covers, context.rules);
        return suppress(scoped, { ...request.body, actor, today: await today(scoped) });
      });
    },
  );

  server.post(
    '/api/suppressions/:id/lift',
    {
      config: { access: 'cases in bulk' },
      schema: {
        ...about,
        summary: 'Ends a suppression now; the next night brings its cases back',
        params: idInPath,
        response: { 204: z.null(), ...PROBLEMS },
      },
    },
    async (request, reply) => {
      await context.inScope(request, (scoped) =>
        liftSuppression(scoped, request.params.id, actorOf(principalOf(request))),
      );
      return reply.code(204).send(null);
    },
  );
}
