import { z } from 'zod';
import { takeFieldReport, takeFieldReports } from '../../anomalies/field-checks/answer.ts';
import { askVillage, LONGEST_QUESTION } from '../../anomalies/field-checks/ask.ts';
import { listFieldChecks, openByVillage } from '../../anomalies/field-checks/list.ts';
import { fieldCheckFile } from '../../anomalies/field-checks/list-file.ts';
import { ANSWER_CODES } from '../../anomalies/field-checks/words.ts';
import { PopshareError } from '../../schema/errors.ts';
import { today } from '../../schema/warehouse/today.ts';
import { principalOf, type Server, type ServerContext } from '../context.ts';
import { FILES, fileBytes, sendFile, uploadedFile } from '../files.ts';
import { PROBLEMS } from '../problems.ts';
import { idInPath, moment, numberCursor, pageAfterId, pageOf, pageQuery, purpose } from '../schemas.ts';
import { watermarkOf } from '../watermark.ts';

const village = z.string().regex(/^\d{12}$/, 'expected the 12 digits of a village');

const fieldCheck = z.object({
  check_id: z.int(),
  anomaly_id: z.int(),
  village: z.string(),
  question: z.string(),
  asked_by: z.string(),
  asked_on: z.string(),
  due_on: z.string(),
  answer: z.string().nullable(),
  note: z.string().nullable(),
  answered_by: z.string().nullable(),
  answered_at: moment.nullable(),
});

/** `/api/field-checks`: what villages are asked to go and look at. */
export function addFieldCheckRoutes(server: Server, context: ServerContext): void {
  const about = { tags: ['field checks'] };
  const config = { access: 'cases' } as const;

  server.get(
    '/api/field-checks',
    {
      config,
      schema: {
        ...about,
        summary: 'Field checks, newest first',
        querystring: pageQuery.extend({
          village: village.optional(),
          case: z.coerce.number<string>().int().min(1).max(Number.MAX_SAFE_INTEGER).optional(),
          open: z.literal('true').optional().describe('only what waits for an answer'),
        }),
        response: { 200: pageOf(fieldCheck), ...PROBLEMS },
      },
    },
    async (request) => {
      const { after, limit, open, village: asked, case: caseId } = request.query;
      const found = await context.inScope(request, (scoped) =>
        listFieldChecks(scoped, {
          village: asked,
          caseId,
          open: open !== undefined,
          after: numberCursor(after),
          limit: limit + 1,
        }),
      );
      return pageAfterId(found, limit, ({ check_id }) => check_id);
    },
  );

  server.get(
    '/api/field-checks/villages',
    {
      config,
      schema: {
        ...about,
        summary: 'Open questions by village',
        response: {
          200: z.object({
            items: z.array(z.object({ village: z.string(), checks: z.int(), due_on: z.string() })),
          }),
          ...PROBLEMS,
        },
      },
    },
    async (request) => ({ items: await context.inScope(request, openByVillage) }),
  );

  server.post(
    '/api/field-checks',
    {
      config,
      schema: {
        ...about,
        summary: 'Asks a village to go and look',
        body: z.strictObject({
          case: z.int().min(1),
          village: village.optional().describe('the village that the case names, unless given'),
          question: z.string().trim().min(1).max(LONGEST_QUESTION),
        }),
        response: { 200: z.object({ check_id: z.int() }), ...PROBLEMS },
      },
    },
    async (request) => {
      const { name, division } = principalOf(request);
      const { case: caseId, village: asked = null, question } = request.body;
      if (asked !== null && division !== null && !asked.startsWith(division))
        throw new PopshareError('FORBIDDEN', `village ${asked} is outside ${division}`);
      const checkId = await context.inScope(request, async (scoped) =>
        askVillage(scoped, context.dueDates, {
          caseId,
          village: asked,
          question,
          by: name,
          on: await today(scoped),
        }),
      );
      return { check_id: checkId };
    },
  );

  server.post(
    '/api/field-checks/:id/answer',
    {
      config,
      schema: {
        ...about,
        summary: 'Takes what somebody found who went and looked',
        params: idInPath,
        body: z.strictObject({
          answer: z.enum(ANSWER_CODES),
          note: z.string().trim().max(2000).default(''),
          by: z.string().trim().min(1).max(100).describe('who went and looked'),
        }),
        response: { 204: z.null(), ...PROBLEMS },
      },
    },
    async (request, reply) => {
      const report = { ...request.body, checkId: request.params.id };
      await context.inScope(request, async (scoped) => takeFieldReport(scoped, report, await today(scoped)));
      return reply.code(204).send(null);
    },
  );

  server.post(
    '/api/field-checks/answers',
    {
      config,
      schema: {
        ...about,
        summary: 'Takes a list that a village sent back (CSV or XLSX as the body): all of it or nothing',
        consumes: FILES,
        body: fileBytes,
        response: { 200: z.object({ taken: z.int() }), ...PROBLEMS },
      },
    },
    async (request) => {
      const file = uploadedFile(request.body, request.headers['content-type']);
      const taken = await context.inScope(request, async (scoped) =>
        takeFieldReports(scoped, file, { by: principalOf(request).name, on: await today(scoped) }),
      );
      return { taken };
    },
  );

  server.post(
    '/api/field-checks/files',
    {
      config,
      schema: {
        ...about,
        summary: 'A village’s open questions as a workbook to print and fill in; watermarked and logged',
        body: z.strictObject({ village, purpose: purpose.default('case') }),
        produces: FILES,
        response: { 200: fileBytes, ...PROBLEMS },
      },
    },
    async (request, reply) => {
      const principal = principalOf(request);
      const { village: asked, purpose: why } = request.body;
      const mark = watermarkOf(principal, why);
      const file = await context.inExport(request, ({ db }) =>
        db
          .transaction()
          .execute((tx) => fieldCheckFile({ db: tx }, asked, principal.name, context.rules, { mark, why })),
      );
      if (file === null)
        throw new PopshareError('FIELD_CHECK_UNKNOWN', `village ${asked} has no open questions`);
      return sendFile(reply, file.name, file.bytes);
    },
  );
}
