import { sql } from 'kysely';
import { z } from 'zod';
import type { Server, ServerContext } from '../context.ts';
import { PROBLEMS } from '../problems.ts';
import { pageOf, pageQuery } from '../schemas.ts';

const figure = z
  .object({
    code: z.string(),
    division: z.string(),
    period: z.string(),
    value: z.number().nullable(),
    numerator: z.number().nullable(),
    denominator: z.number().nullable(),
    unit: z.string(),
    suppressed: z.boolean().describe('too few persons, or another cell that would tell of them'),
    as_of: z.string(),
  })
  .meta({ id: 'Indicator' });

const score = z
  .object({
    department: z.string(),
    feed: z.string(),
    business_date: z.string(),
    timeliness: z.number().nullable(),
    acceptance: z.number().nullable(),
    valid_id: z.number().nullable(),
    linked: z.number().nullable(),
    agreement: z.number().nullable(),
    corrections_on_time: z.number().nullable(),
  })
  .meta({ id: 'Score' });

/** `/api/indicators`: published figures, with small cells suppressed as everywhere outside the warehouse. */
export function addIndicatorRoutes(server: Server, context: ServerContext): void {
  server.get(
    '/api/indicators',
    {
      config: { access: 'figures' },
      schema: {
        tags: ['indicators'],
        summary: 'Published figures by code, division and period',
        querystring: pageQuery.extend({
          code: z.string().optional(),
          division: z
            .string()
            .regex(/^\d{12}$/)
            .optional(),
          period: z.string().optional(),
        }),
        response: { 200: pageOf(figure), ...PROBLEMS },
      },
    },
    async (request) => {
      const { after, limit, code, division, period } = request.query;
      const { rows } = await context.inScope(request, ({ db }) =>
        sql<z.output<typeof figure>>`
          SELECT code, division, period, value, numerator, denominator, unit, suppressed, as_of FROM reporting.indicator
          WHERE (${code ?? null}::text IS NULL OR code = ${code ?? null})
            AND (${division ?? null}::text IS NULL OR division = ${division ?? null})
            AND (${period ?? null}::text IS NULL OR period = ${period ?? null})
            AND (${after ?? null}::text IS NULL OR period || ' ' || code || ' ' || division > ${after ?? null})
          ORDER BY period || ' ' || code || ' ' || division LIMIT ${limit + 1}`.execute(db),
      );
      const items = rows.slice(0, limit);
      const last = rows.length > limit ? items.at(-1) : undefined;
      return { items, next: last === undefined ? null : `${last.period} ${last.code} ${last.division}` };
    },
  );

  server.get(
    '/api/scorecards',
    {
      config: { access: 'figures' },
      schema: {
        tags: ['indicators'],
        summary: 'What the deliveries of a business date were worth, feed by feed',
        querystring: z.object({ date: z.iso.date() }),
        response: { 200: z.object({ items: z.array(score) }), ...PROBLEMS },
      },
    },
    async (request) => {
      const { rows } = await context.inScope(request, ({ db }) =>
        sql<z.output<typeof score>>`
          SELECT department, feed, business_date, timeliness, acceptance, valid_id, linked, agreement, corrections_on_time
          FROM reporting.scorecard WHERE business_date = ${request.query.date}::date ORDER BY department, feed`.execute(
          db,
        ),
      );
      return { items: rows };
    },
  );
}
