import { z } from 'zod';
import { exportCases, MOST_EXPORTED } from '../../anomalies/queue/export.ts';
import { caseFilterSchema } from '../../anomalies/queue/filter.ts';
import { requireKnown } from '../../anomalies/queue/known.ts';
import { csvOf, workbookOf } from '../../anomalies/sheet.ts';
import { recordAct } from '../../schema/warehouse/audit.ts';
import { today } from '../../schema/warehouse/today.ts';
import { scopedFilter } from '../case-scope.ts';
import { principalOf, type Server, type ServerContext } from '../context.ts';
import { FILES, fileBytes, fileFormat, sendFile } from '../files.ts';
import { PROBLEMS } from '../problems.ts';
import { purpose } from '../schemas.ts';
import { watermarkOf } from '../watermark.ts';

/** `/api/anomalies/exports`: the filtered queue as a file. */
export function addCaseExportRoutes(server: Server, context: ServerContext): void {
  const { configuration, rules } = context;

  server.post(
    '/api/anomalies/exports',
    {
      config: { access: 'cases' },
      schema: {
        tags: ['anomalies'],
        summary: `The cases of a filter as a file with a watermark, at most ${MOST_EXPORTED}; logged`,
        body: z.strictObject({ filter: caseFilterSchema.default({}), format: fileFormat, purpose }),
        produces: FILES,
        response: { 200: fileBytes, ...PROBLEMS },
      },
    },
    async (request, reply) => {
      const principal = principalOf(request);
      const { format, purpose: why } = request.body;
      const filter = scopedFilter(principal, request.body.filter);
      const watermark = watermarkOf(principal, why);
      const { sheet, day } = await context.inScope(request, async ({ db }) =>
        db.transaction().execute(async (tx) => {
          await requireKnown({ db: tx }, request.body.filter, rules);
          const made = await exportCases({ db: tx }, filter, {
            configuration,
            rules,
            watermark,
          });
          const on = await today({ db: tx });
          await recordAct(tx, {
            actor: principal.name,
            action: 'export',
            subject: 'cases',
            purpose: why,
            detail: { filter, format, cases: made.rows.length },
          });
          return { sheet: made, day: on };
        }),
      );
      const bytes = format === 'csv' ? csvOf(sheet) : await workbookOf(sheet);
      return sendFile(reply, `疑点清单_${day}.${format}`, bytes);
    },
  );
}
