import { sql } from 'kysely';
import { z } from 'zod';
import { requestRun } from '../../jobs/run-request.ts';
import { PopshareError } from '../../schema/errors.ts';
import { recordAct } from '../../schema/warehouse/audit.ts';
import { today } from '../../schema/warehouse/today.ts';
import { principalOf, type Server, type ServerContext } from '../context.ts';
import { PROBLEMS } from '../problems.ts';
import { idInPath, idPageQuery, moment, pageAfterId, pageOf } from '../schemas.ts';

const run = z
  .object({
    run_id: z.int(),
    business_date: z.string(),
    purpose: z.string(),
    status: z.enum(['running', 'done', 'failed', 'interrupted']),
    started_at: moment,
    finished_at: moment.nullable(),
  })
  .meta({ id: 'Run' });

const step = z.object({
  name: z.string(),
  subject: z.string(),
  status: z.enum(['running', 'done', 'failed']),
  started_at: moment,
  finished_at: moment.nullable(),
  message: z.string().nullable(),
});

/** `/api/runs`: the nights as the ledger has them. */
export function addRunRoutes(server: Server, context: ServerContext): void {
  server.get(
    '/api/runs',
    {
      config: { access: 'ledger' },
      schema: {
        tags: ['runs'],
        summary: 'The runs, newest first',
        querystring: idPageQuery.extend({ date: z.iso.date().optional() }),
        response: { 200: pageOf(run), ...PROBLEMS },
      },
    },
    async (request) => {
      const { after, limit, date } = request.query;
      const { rows } = await context.inScope(request, ({ db }) =>
        sql<z.output<typeof run>>`
          SELECT run_id, business_date, purpose, status, started_at, finished_at FROM ops.run
          WHERE (${date ?? null}::date IS NULL OR business_date = ${date ?? null}::date)
            AND (${after ?? null}::bigint IS NULL OR run_id < ${after ?? null}::bigint)
          ORDER BY run_id DESC LIMIT ${limit + 1}`.execute(db),
      );
      return pageAfterId(rows, limit, ({ run_id }) => run_id);
    },
  );

  server.get(
    '/api/runs/:id',
    {
      config: { access: 'ledger' },
      schema: {
        tags: ['runs'],
        summary:
          'One run with its steps, and what it reported at its end; of a department, its own feeds; counts for whoever sees everything',
        params: idInPath,
        response: {
          200: z.object({ run, steps: z.array(step), summary: z.record(z.string(), z.unknown()).nullable() }),
          ...PROBLEMS,
        },
      },
    },
    async (request) => {
      const { id } = request.params;
      return context.inScope(request, async ({ db }) => {
        const runs = await sql<z.output<typeof run> & { summary: Record<string, unknown> | null }>`
          SELECT run_id, business_date, purpose, status, started_at, finished_at, ops.run_report(run_id) AS summary
          FROM ops.run WHERE run_id = ${id}`.execute(db);
        const found = runs.rows[0];
        if (found === undefined) throw new PopshareError('RUN_UNKNOWN', `there is no run ${id}`);
        const steps = await sql<z.output<typeof step>>`
          SELECT name, subject, status, started_at, finished_at, message FROM ops.step
          WHERE run_id = ${id} ORDER BY step_id`.execute(db);
        const { summary, ...known } = found;
        return { run: known, steps: steps.rows, summary };
      });
    },
  );

  server.post(
    '/api/runs',
    {
      config: { access: 'run nights' },
      schema: {
        tags: ['runs'],
        summary:
          'Asks for a run of a business date; safe to repeat. The scheduler begins it, the ledger shows it',
        body: z.strictObject({ date: z.iso.date(), reason: z.string().trim().min(1).max(1000) }),
        response: { 202: z.object({ business_date: z.string() }), ...PROBLEMS },
      },
    },
    async (request, reply) => {
      const { name } = principalOf(request);
      const { date, reason } = request.body;
      if (date > (await today(context.engine)))
        throw new PopshareError('USAGE', `${date} is in the future: nothing can have arrived for it`);
      await context.engine.db.transaction().execute(async (db) => {
        await requestRun({ db }, { businessDate: date, by: name, reason });
        await recordAct(db, { actor: name, action: 'run', subject: `night ${date}`, purpose: reason });
      });
      return reply.code(202).send({ business_date: date });
    },
  );
}
