import { sql } from 'kysely';
import { z } from 'zod';
import { exportRejectedRows } from '../../ingest/rejected-rows.ts';
import { PopshareError } from '../../schema/errors.ts';
import { recordAct } from '../../schema/warehouse/audit.ts';
import { principalOf, type Server, type ServerContext } from '../context.ts';
import { PROBLEMS } from '../problems.ts';
import { idPageQuery, pageAfterId, pageOf, purpose } from '../schemas.ts';

const rejectedRow = z
  .object({
    rejected_row_id: z.int(),
    delivery_id: z.int(),
    feed: z.string(),
    line: z.int(),
    field: z.string().nullable(),
    code: z.string(),
    message: z.string(),
  })
  .meta({ id: 'RejectedRow', description: 'Without the row itself, which may name a person' });

type RejectedRow = z.output<typeof rejectedRow>;

/** `/api/rejected-rows`: what the contracts refused, so that the department that sent it can mend it. */
export function addRejectedRowRoutes(server: Server, context: ServerContext): void {
  server.get(
    '/api/rejected-rows',
    {
      config: { access: 'rejected rows' },
      schema: {
        tags: ['rejected rows'],
        summary: 'Open rejected rows with their reasons, newest delivery first, without the values',
        querystring: idPageQuery.extend({
          feed: z.string().optional(),
          delivery: z.coerce.number<string>().int().min(1).optional(),
        }),
        response: { 200: pageOf(rejectedRow), ...PROBLEMS },
      },
    },
    async (request) => {
      const { after, limit, feed, delivery } = request.query;
      const { rows } = await context.inScope(request, ({ db }) =>
        sql<RejectedRow>`
          SELECT rejected_row_id, delivery_id, feed, line, field, code, message FROM ops.rejected_row
          WHERE mended_by IS NULL
            AND (${feed ?? null}::text IS NULL OR feed = ${feed ?? null})
            AND (${delivery ?? null}::bigint IS NULL OR delivery_id = ${delivery ?? null}::bigint)
            AND (${after ?? null}::bigint IS NULL OR rejected_row_id < ${after ?? null}::bigint)
          ORDER BY rejected_row_id DESC LIMIT ${limit + 1}`.execute(db),
      );
      return pageAfterId(rows, limit, ({ rejected_row_id }) => rejected_row_id);
    },
  );

  server.post(
    '/api/rejected-rows/export',
    {
      config: { access: 'rejected values' },
      schema: {
        tags: ['rejected rows'],
        summary:
          'The open rejected rows of a feed as the source sent them, each delivery with a file of reasons',
        description:
          'The files are the department’s own bytes and go back to it unmarked; the audit log has who took them. Not for whoever is bound to a division: where a refused row belongs, nobody knows for sure.',
        body: z.strictObject({ feed: z.string(), purpose }),
        response: {
          200: z.object({
            files: z.array(z.object({ name: z.string(), rows: z.int(), base64: z.string() })),
          }),
          ...PROBLEMS,
        },
      },
    },
    async (request) => {
      const { feed, purpose: reason } = request.body;
      const { name, department, division } = principalOf(request);
      if (division !== null)
        throw new PopshareError('FORBIDDEN', 'a refused row belongs to no division for sure');
      const binding = context.configuration.bindings.find((candidate) => candidate.feed === feed);
      if (binding === undefined || (department !== null && binding.contract.department !== department))
        throw new PopshareError('FEED_UNKNOWN', 'there is no such feed in your scope');
      return context.inExport(request, ({ db }) =>
        db.transaction().execute(async (tx) => {
          const files = await exportRejectedRows({ db: tx }, binding);
          await recordAct(tx, {
            actor: name,
            action: 'export',
            subject: `rejected rows of ${feed}`,
            purpose: reason,
            detail: { files: files.map((file) => ({ name: file.name, rows: file.rows })) },
          });
          return {
            files: files.map((file) => ({
              name: file.name,
              rows: file.rows,
              base64: file.bytes.toString('base64'),
            })),
          };
        }),
      );
    },
  );
}
