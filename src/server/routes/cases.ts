import { z } from 'zod';
import { actOnCase, LONGEST_COMMENT } from '../../anomalies/queue/actions.ts';
import { caseFilterSchema } from '../../anomalies/queue/filter.ts';
import { listGroups, listGroupsWithin } from '../../anomalies/queue/groups.ts';
import { requireKnown } from '../../anomalies/queue/known.ts';
import { listCases } from '../../anomalies/queue/list.ts';
import { readCase, showCase, stateOf } from '../../anomalies/queue/show.ts';
import { actionsAllowed, TRANSITIONS } from '../../anomalies/queue/transitions.ts';
import { today } from '../../schema/warehouse/today.ts';
import { requireOfficer } from '../accounts/officers.ts';
import { actorOf, scopedFilter } from '../case-scope.ts';
import { principalOf, type Server, type ServerContext } from '../context.ts';
import { etagOf, versionOf } from '../etag.ts';
import { PROBLEMS } from '../problems.ts';
import { idInPath, moment, pageOf, pageQuery, purpose, severalOf } from '../schemas.ts';

/** The states of a case. */
export const caseStatus = z.enum(['new', 'assigned', 'returned', 'resolved', 'dismissed']);
const status = caseStatus;

const caseRow = z
  .object({
    anomaly_id: z.int(),
    version: z.int(),
    rule: z.string(),
    severity: z.string(),
    status,
    department: z.string(),
    division: z.string().nullable(),
    feed: z.string().nullable(),
    source_key: z.string().nullable(),
    person_id: z.int().nullable(),
    owner: z.string().nullable(),
    returned_to: z.string().nullable(),
    due_on: z.string(),
    opened_on: z.string(),
    group: z.string().nullable(),
    person_cases: z.int(),
  })
  .meta({ id: 'CaseRow' });

const counted = z.record(z.string(), z.int());

const casePage = pageOf(caseRow).extend({
  counts: z.object({
    total: z.int(),
    overdue: z.int(),
    by_status: counted,
    by_rule: counted,
    by_severity: counted,
    by_department: counted,
  }),
});

const caseGroup = z.object({
  group: z.string().describe('for `group` of a filter'),
  rule: z.string(),
  feed: z.string(),
  delivered_on: z.string(),
  department: z.string(),
  severity: z.string(),
  cases: z.int(),
  due_on: z.string(),
});

const listQuery = pageQuery.extend({
  order: z.enum(['priority', 'due']).default('priority'),
  status: severalOf(status).optional(),
  rule: severalOf(z.string()).optional(),
  family: severalOf(z.string()).optional(),
  severity: severalOf(z.enum(['high', 'medium', 'low'])).optional(),
  department: severalOf(z.string()).optional(),
  feed: severalOf(z.string()).optional(),
  division: caseFilterSchema.shape.division,
  owner: z.string().optional(),
  due_before: z.iso.date().optional(),
  person: z.coerce.number<string>().int().min(1).optional(),
  group: z.string().optional(),
  outside_groups: z.literal('true').optional(),
});

const words = z.object({ zh: z.string(), en: z.string() });

const allowedAction = z.object({
  action: z.enum(TRANSITIONS.map(({ action }) => action)),
  label: words,
  asks: z.array(z.string()).readonly(),
  reasons: z.array(z.object({ code: z.string(), label: words })).readonly(),
});

const wholeCase = z
  .object({
    case: caseRow.omit({ person_cases: true, due_on: true }).extend({
      subject: z.string(),
      role: z.string().nullable(),
      healed: z.boolean(),
      suppressed_by: z.int().nullable(),
      due_on: z.string().nullable(),
      first_seen: z.string(),
      last_seen: z.string(),
      evidence: z.record(z.string(), z.unknown()),
    }),
    actions: z.array(allowedAction).readonly(),
    events: z.array(
      z.object({
        kind: z.string(),
        version: z.int(),
        actor: z.string().nullable(),
        on_date: z.string(),
        at: moment,
        from_status: status.nullable(),
        to_status: status,
        reason: z.string().nullable(),
        comment: z.string().nullable(),
        bulk_id: z.int().nullable(),
        evidence: z.record(z.string(), z.unknown()).nullable(),
      }),
    ),
    related: z.array(
      z.object({
        anomaly_id: z.int(),
        rule: z.string(),
        severity: z.string(),
        status,
        feed: z.string().nullable(),
        source_key: z.string().nullable(),
        due_on: z.string().nullable(),
      }),
    ),
  })
  .meta({ id: 'Case' });

/** What somebody does to cases, and why. */
export const actionBody = z.strictObject({
  action: z.enum(TRANSITIONS.map(({ action }) => action)),
  reason: z.string().min(1),
  comment: z.string().max(LONGEST_COMMENT).optional(),
  owner: z.string().optional().describe('whose the case becomes; of `assign`'),
  department: z.string().optional().describe('who is to mend it; of `return`'),
});

/** `/api/anomalies`: the officers' queue. */
export function addCaseRoutes(server: Server, context: ServerContext): void {
  const { queue } = context.configuration.settings;

  server.get(
    '/api/anomalies',
    {
      config: { access: 'cases' },
      schema: {
        tags: ['anomalies'],
        summary: 'One page of cases, the most urgent first, and how many there are',
        querystring: listQuery,
        response: { 200: casePage, ...PROBLEMS },
      },
    },
    async (request) => {
      const { after, limit, order, outside_groups, ...criteria } = request.query;
      const filter = scopedFilter(principalOf(request), {
        ...criteria,
        ...(outside_groups && { outside_groups: true }),
      });
      const page = await context.inScope(request, async (scoped) => {
        await requireKnown(scoped, criteria, context.rules);
        return listCases(scoped, {
          filter,
          order,
          limit,
          after: after ?? null,
          today: await today(scoped),
          groupAbove: queue.group_above,
        });
      });
      return { items: page.cases, next: page.next, counts: page.counts };
    },
  );

  server.get(
    '/api/anomalies/groups',
    {
      config: { access: 'cases' },
      schema: {
        tags: ['anomalies'],
        summary: 'Open cases of one rule that one delivery brought, where they are many: one question each',
        response: { 200: z.object({ items: z.array(caseGroup) }), ...PROBLEMS },
      },
    },
    async (request) => {
      const principal = principalOf(request);
      const items = await context.inScope(request, (scoped) =>
        principal.division === null && principal.department === null
          ? listGroups(scoped, queue.group_above)
          : listGroupsWithin(scoped, queue.group_above, scopedFilter(principal, {})),
      );
      return { items };
    },
  );

  server.get(
    '/api/anomalies/:id',
    {
      config: { access: 'cases' },
      schema: {
        tags: ['anomalies'],
        summary: 'One case: its evidence, what happened, what may be done; the ETag is its version',
        params: idInPath,
        querystring: z.object({ purpose: purpose.default('case') }),
        response: { 200: wholeCase, ...PROBLEMS },
      },
    },
    async (request, reply) => {
      const actor = actorOf(principalOf(request));
      const found = await context.inScope(request, (scoped) =>
        showCase(scoped, request.params.id, { actor, purpose: request.query.purpose }),
      );
      reply.header('etag', etagOf(found.case.version));
      return { ...found, actions: actionsAllowed(stateOf(found.case), actor) };
    },
  );

  server.post(
    '/api/anomalies/:id/actions',
    {
      config: { access: 'cases' },
      schema: {
        tags: ['anomalies'],
        summary: 'Does one thing to a case, as it was seen: If-Match is the ETag of the look',
        params: idInPath,
        headers: z.object({ 'if-match': z.string().optional() }),
        body: actionBody,
        response: { 200: z.object({ anomaly_id: z.int(), version: z.int(), status }), ...PROBLEMS },
      },
    },
    async (request, reply) => {
      const { id } = request.params;
      const version = versionOf(request.headers['if-match']);
      const actor = actorOf(principalOf(request));
      return context.inScope(request, async (scoped) => {
        const { owner } = request.body;
        // Whoever takes a case has just been let in to it.
        if (owner !== undefined && owner !== actor.name) {
          const { case: given } = await readCase(scoped.db, id);
          const departments = [given.department, ...(given.returned_to === null ? [] : [given.returned_to])];
          await requireOfficer(context.engine.db, owner, { division: given.division, departments });
        }
        const day = await today(scoped);
        const now = await actOnCase(scoped, id, version, {
          ...request.body,
          actor,
          today: day,
          dueDates: context.dueDates,
        });
        reply.header('etag', etagOf(now));
        const { case: after } = await readCase(scoped.db, id);
        return { anomaly_id: id, version: now, status: after.status };
      });
    },
  );
}
