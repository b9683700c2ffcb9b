import { z } from 'zod';
import { actInBulk, listBulkActions, previewBulk, undoBulk } from '../../anomalies/queue/bulk.ts';
import { caseFilterSchema, divisionPrefix } from '../../anomalies/queue/filter.ts';
import { requireKnown } from '../../anomalies/queue/known.ts';
import { PopshareError } from '../../schema/errors.ts';
import { today } from '../../schema/warehouse/today.ts';
import type { Principal } from '../access.ts';
import { requireOfficer } from '../accounts/officers.ts';
import { actorOf, scopedFilter } from '../case-scope.ts';
import { principalOf, type Server, type ServerContext } from '../context.ts';
import { PROBLEMS } from '../problems.ts';
import { idInPath, moment, numberCursor, pageAfterId, pageOf, pageQuery } from '../schemas.ts';
import { actionBody, caseStatus } from './cases.ts';

const bulkBody = actionBody.extend({
  filter: caseFilterSchema.describe('which cases; at least one criterion'),
  limit: z.int().min(1).optional().describe('at most so many, the oldest first'),
});

const bulkAction = z.object({
  bulk_id: z.int(),
  action: z.string(),
  filter: z.record(z.string(), z.unknown()),
  actor: z.string(),
  reason: z.string(),
  comment: z.string().nullable(),
  cases: z.int(),
  at: moment,
  undone_by: z.string().nullable(),
  undone_at: moment.nullable(),
});

/** `/api/bulk-actions`: one thing done to all cases of a filter, and taken back. */
export function addBulkRoutes(server: Server, context: ServerContext): void {
  const { queue } = context.configuration.settings;
  const about = { tags: ['anomalies'] };
  const config = { access: 'cases in bulk' } as const;

  server.get(
    '/api/bulk-actions',
    {
      config,
      schema: {
        ...about,
        summary: 'The bulk actions of the own scope, newest first',
        querystring: pageQuery,
        response: { 200: pageOf(bulkAction), ...PROBLEMS },
      },
    },
    async (request) => {
      const { after, limit } = request.query;
      const found = await context.inScope(request, (scoped) =>
        listBulkActions(scoped, numberCursor(after), limit + 1),
      );
      return pageAfterId(found, limit, ({ bulk_id }) => bulk_id);
    },
  );

  server.post(
    '/api/bulk-actions/preview',
    {
      config,
      schema: {
        ...about,
        summary: 'What a bulk action would do, without doing it',
        body: bulkBody,
        response: {
          200: z.object({
            matching: z.int(),
            limit: z.int().describe('at most so many of them at once'),
            examples: z
              .array(
                z.object({
                  anomaly_id: z.int(),
                  rule: z.string(),
                  status: caseStatus,
                  due_on: z.string(),
                }),
              )
              .readonly(),
          }),
          ...PROBLEMS,
        },
      },
    },
    async (request) => {
      const whole = await bulkRequest(principalOf(request), request.body);
      return context.inScope(request, async (scoped) => {
        await requireKnown(scoped, request.body.filter, context.rules);
        const preview = await previewBulk(scoped, { ...whole, today: await today(scoped) });
        return { ...preview, limit: whole.limit };
      });
    },
  );

  server.post(
    '/api/bulk-actions',
    {
      config,
      schema: {
        ...about,
        summary: 'Does one thing to all cases of a filter that allow it',
        body: bulkBody,
        response: { 200: z.object({ bulk_id: z.int(), cases: z.int() }), ...PROBLEMS },
      },
    },
    async (request) => {
      const whole = await bulkRequest(principalOf(request), request.body);
      return context.inScope(request, async (scoped) => {
        await requireKnown(scoped, request.body.filter, context.rules);
        return actInBulk(scoped, { ...whole, today: await today(scoped) });
      });
    },
  );

  server.post(
    '/api/bulk-actions/:id/undo',
    {
      config,
      schema: {
        ...about,
        summary: 'Takes a bulk action back, where nobody has touched the case since',
        params: idInPath,
        response: { 200: z.object({ undone: z.int(), kept: z.int() }), ...PROBLEMS },
      },
    },
    async (request) =>
      context.inScope(request, async (scoped) =>
        undoBulk(scoped, request.params.id, {
          actor: actorOf(principalOf(request)),
          today: await today(scoped),
        }),
      ),
  );

  /** @throws CASE_INPUT without a criterion, or when the new owner does not see all of it; FORBIDDEN outside the scope */
  async function bulkRequest(principal: Principal, body: z.output<typeof bulkBody>) {
    const { filter, limit = queue.bulk_limit, ...action } = body;
    if (Object.keys(filter).length === 0)
      throw new PopshareError('CASE_INPUT', 'a bulk action needs a filter');
    const scoped = scopedFilter(principal, filter);
    if (action.owner !== undefined)
      await requireOfficer(context.engine.db, action.owner, {
        division: scoped.division === undefined ? null : divisionPrefix(scoped.division),
        departments: scoped.desk === undefined ? (scoped.department ?? null) : [scoped.desk],
      });
    return {
      ...action,
      actor: actorOf(principal),
      filter: scoped,
      limit: Math.min(limit, queue.bulk_limit),
      groupAbove: queue.group_above,
      dueDates: context.dueDates,
    };
  }
}
