import { sql } from 'kysely';
import { z } from 'zod';
import { decideDelivery } from '../../ingest/decide.ts';
import { requestRun } from '../../jobs/run-request.ts';
import { PopshareError } from '../../schema/errors.ts';
import { toDeliveryId } from '../../schema/ids.ts';
import type { Queryable } from '../../schema/warehouse/connect.ts';
import { principalOf, type Server, type ServerContext } from '../context.ts';
import { PROBLEMS } from '../problems.ts';
import { idInPath, idPageQuery, moment, pageAfterId, pageOf } from '../schemas.ts';

const count = z.int().nullable();

const delivery = z
  .object({
    delivery_id: z.int(),
    business_date: z.string(),
    department: z.string(),
    feed: z.string(),
    status: z.enum(['landed', 'applied', 'unchanged', 'held', 'missing', 'refused', 'failed']),
    reason: z.string().nullable(),
    received: count,
    accepted: count,
    rejected: count,
    new: count,
    changed: count,
    unchanged: count,
    removed: count,
    arrived_at: moment.nullable(),
    applied_at: moment.nullable(),
  })
  .meta({ id: 'Delivery' });

type Delivery = z.output<typeof delivery>;

const wholeDelivery = z.object({
  delivery,
  findings: z.array(
    z.object({
      rule: z.string(),
      holds: z.boolean(),
      message: z.string(),
      evidence: z.record(z.string(), z.unknown()),
    }),
  ),
  decisions: z.array(
    z.object({ decision: z.string(), reason: z.string(), decided_by: z.string(), decided_at: moment }),
  ),
});

const listQuery = idPageQuery.extend({
  date: z.iso.date().optional(),
  feed: z.string().optional(),
  status: delivery.shape.status.optional(),
});

/** `/api/deliveries`: what arrived, what is held, and the operator's hand on it. */
export function addDeliveryRoutes(server: Server, context: ServerContext): void {
  server.get(
    '/api/deliveries',
    {
      config: { access: 'ledger' },
      schema: {
        tags: ['deliveries'],
        summary: 'The deliveries, newest first',
        querystring: listQuery,
        response: { 200: pageOf(delivery), ...PROBLEMS },
      },
    },
    async (request) => {
      const { department } = principalOf(request);
      return context.inScope(request, (scoped) => listDeliveries(scoped, request.query, department));
    },
  );

  server.get(
    '/api/deliveries/:id',
    {
      config: { access: 'ledger' },
      schema: {
        tags: ['deliveries'],
        summary: 'One delivery with its counts, what the gates found, and who decided what',
        params: idInPath,
        response: { 200: wholeDelivery, ...PROBLEMS },
      },
    },
    async (request) => {
      const { department } = principalOf(request);
      return context.inScope(request, (scoped) => showDelivery(scoped, request.params.id, department));
    },
  );

  server.post(
    '/api/deliveries/:id/decision',
    {
      config: { access: 'run nights' },
      schema: {
        tags: ['deliveries'],
        summary:
          'Releases, refuses or replays a delivery; a run of its date follows at once, by the scheduler',
        params: idInPath,
        body: z.strictObject({
          decision: z.enum(['release', 'refuse', 'replay']),
          reason: z.string().trim().min(1).max(1000),
        }),
        response: { 202: z.object({ delivery_id: z.int(), business_date: z.string() }), ...PROBLEMS },
      },
    },
    async (request, reply) => {
      const { name } = principalOf(request);
      const { decision, reason } = request.body;
      const deliveryId = toDeliveryId(request.params.id);
      const { businessDate } = await decideDelivery(context.engine, {
        deliveryId,
        decision,
        reason,
        decidedBy: name,
      });
      await requestRun(context.engine, {
        businessDate,
        by: name,
        reason: `${decision} delivery ${deliveryId}`,
      });
      return reply.code(202).send({ delivery_id: deliveryId, business_date: businessDate });
    },
  );
}

const COLUMNS = sql`
  delivery_id, business_date, department, feed, status, reason, received, accepted, rejected, new, changed, unchanged,
  removed, arrived_at, applied_at`;

/** @param department of whoever asks; null: all of them */
async function listDeliveries(
  scoped: Queryable,
  { after, limit, date, feed, status }: z.output<typeof listQuery>,
  department: string | null,
): Promise<{ items: Delivery[]; next: string | null }> {
  const { rows } = await sql<Delivery>`
    SELECT ${COLUMNS} FROM ops.delivery
    WHERE (${date ?? null}::date IS NULL OR business_date = ${date ?? null}::date)
      AND (${feed ?? null}::text IS NULL OR feed = ${feed ?? null})
      AND (${status ?? null}::text IS NULL OR status = ${status ?? null})
      AND (${department}::text IS NULL OR department = ${department})
      AND (${after ?? null}::bigint IS NULL OR delivery_id < ${after ?? null}::bigint)
    ORDER BY delivery_id DESC LIMIT ${limit + 1}`.execute(scoped.db);
  return pageAfterId(rows, limit, ({ delivery_id }) => delivery_id);
}

/** @throws DELIVERY_UNKNOWN also for one of another department than the asking one */
async function showDelivery(
  scoped: Queryable,
  deliveryId: number,
  department: string | null,
): Promise<z.output<typeof wholeDelivery>> {
  const found = await sql<Delivery>`
    SELECT ${COLUMNS} FROM ops.delivery
    WHERE delivery_id = ${deliveryId} AND (${department}::text IS NULL OR department = ${department})`.execute(
    scoped.db,
  );
  if (found.rows[0] === undefined)
    throw new PopshareError('DELIVERY_UNKNOWN', `there is no delivery ${deliveryId}`);
  const findings = await sql<z.output<typeof wholeDelivery>['findings'][number]>`
    SELECT rule, holds, message, evidence FROM ops.gate_finding WHERE delivery_id = ${deliveryId} ORDER BY rule`.execute(
    scoped.db,
  );
  const decisions = await sql<z.output<typeof wholeDelivery>['decisions'][number]>`
    SELECT decision, reason, decided_by, decided_at FROM ops.delivery_decision
    WHERE delivery_id = ${deliveryId} ORDER BY decision_id`.execute(scoped.db);
  return { delivery: found.rows[0], findings: findings.rows, decisions: decisions.rows };
}
