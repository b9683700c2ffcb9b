import { z } from 'zod';
import { issueCorrections } from '../../anomalies/corrections/issue.ts';
import { correctionProgress, listCorrections } from '../../anomalies/corrections/list.ts';
import { correctionFiles, type ListFile } from '../../anomalies/corrections/list-file.ts';
import { takeReplies } from '../../anomalies/corrections/reply.ts';
import { requireDepartment } from '../../anomalies/queue/known.ts';
import { PopshareError } from '../../schema/errors.ts';
import { recordAct } from '../../schema/warehouse/audit.ts';
import { today } from '../../schema/warehouse/today.ts';
import { principalOf, type Server, type ServerContext } from '../context.ts';
import { FILES, type FileFormat, fileBytes, fileFormat, sendFile, uploadedFile } from '../files.ts';
import { PROBLEMS } from '../problems.ts';
import { pageOf, pageQuery, purpose } from '../schemas.ts';
import { watermarkOf } from '../watermark.ts';

const listNumber = z.string().regex(/^XH-\d{4}-[a-z-]+-\d{4,}$/, 'expected the number of a list');

const correction = z.object({
  number: z.string(),
  department: z.string(),
  issued_on: z.string(),
  due_on: z.string(),
  lines: z.int(),
  answered: z.int(),
  closed: z.int(),
  escalated: z.int(),
  withdrawn: z.int().describe('lines whose case was taken back before the department settled it'),
});

const progress = z.object({
  department: z.string(),
  lists: z.int(),
  lines: z.int(),
  answered: z.int(),
  closed: z.int(),
  escalated: z.int(),
  withdrawn: z.int().describe('taken back before the department settled them'),
  overdue: z.int().describe('past their deadline, and still with the department'),
  waiting: z.int().describe('returned to it, and on no list yet'),
});

/** `/api/corrections`: lists of cases for the departments that own the records, and their answers. */
export function addCorrectionRoutes(server: Server, context: ServerContext): void {
  const about = { tags: ['corrections'] };
  const { configuration, rules } = context;

  server.get(
    '/api/corrections',
    {
      config: { access: 'corrections' },
      schema: {
        ...about,
        summary: 'The lists, newest first, and how far each has come, of the lines in scope',
        querystring: pageQuery.extend({ after: listNumber.optional(), department: z.string().optional() }),
        response: { 200: pageOf(correction), ...PROBLEMS },
      },
    },
    async (request) => {
      const { after = null, limit, department = null } = request.query;
      if (department !== null) requireDepartment(department);
      const found = await context.inScope(request, (scoped) =>
        listCorrections(scoped, { department, after, limit: limit + 1 }),
      );
      const items = found.slice(0, limit);
      return { items, next: found.length > limit ? (items.at(-1)?.number ?? null) : null };
    },
  );

  server.get(
    '/api/corrections/progress',
    {
      config: { access: 'corrections' },
      schema: {
        ...about,
        summary: 'How far each department is with what it was asked to mend',
        response: { 200: z.object({ items: z.array(progress) }), ...PROBLEMS },
      },
    },
    async (request) => ({
      items: await context.inScope(request, async (scoped) =>
        correctionProgress(scoped, await today(scoped)),
      ),
    }),
  );

  server.post(
    '/api/corrections',
    {
      config: { access: 'issue corrections' },
      schema: {
        ...about,
        summary: 'Puts every returned case in scope that stands on no list on its department’s next list',
        body: z.strictObject({ department: z.string().min(1).optional() }),
        response: {
          200: z.object({
            issued: z.array(
              z.object({ number: z.string(), department: z.string(), lines: z.int(), due_on: z.string() }),
            ),
          }),
          ...PROBLEMS,
        },
      },
    },
    async (request) => {
      const by = principalOf(request).name;
      const { department = null } = request.body;
      if (department !== null) requireDepartment(department);
      const issued = await context.inScope(request, async (scoped) =>
        issueCorrections(scoped, { by, on: await today(scoped), department }),
      );
      return { issued };
    },
  );

  server.post(
    '/api/corrections/:number/files',
    {
      config: { access: 'corrections' },
      schema: {
        ...about,
        summary: 'A list as a file, the department’s own columns as they are; watermarked and logged',
        params: z.object({ number: listNumber }),
        body: z.strictObject({
          feed: z.string().optional().describe('needed where the list has cases of several feeds'),
          format: fileFormat,
          purpose: purpose.default('correction'),
        }),
        produces: FILES,
        response: { 200: fileBytes, ...PROBLEMS },
      },
    },
    async (request, reply) => {
      const principal = principalOf(request);
      const { number } = request.params;
      const { feed, format, purpose: why } = request.body;
      const mark = watermarkOf(principal, why);
      const file = await context.inExport(request, async ({ db }) =>
        db.transaction().execute(async (tx) => {
          const files = await correctionFiles({ db: tx }, number, configuration.bindings, rules, mark);
          const chosen = fileOf(files, number, feed, format);
          await recordAct(tx, {
            actor: principal.name,
            action: 'export',
            subject: number,
            purpose: why,
            detail: { file: chosen.name },
          });
          return chosen;
        }),
      );
      return sendFile(reply, file.name, file.bytes);
    },
  );

  server.post(
    '/api/corrections/replies',
    {
      config: { access: 'corrections' },
      schema: {
        ...about,
        summary: 'Takes a list that came back filled in (CSV or XLSX as the body): all of it or nothing',
        consumes: FILES,
        body: fileBytes,
        response: {
          200: z.object({
            taken: z.int(),
            known: z.int(),
            unanswered: z.int(),
            withdrawn: z
              .array(z.object({ number: z.string(), line: z.int() }))
              .readonly()
              .describe('lines whose new answer changes no case: it was taken back before'),
          }),
          ...PROBLEMS,
        },
      },
    },
    async (request) => {
      const file = uploadedFile(request.body, request.headers['content-type']);
      const by = principalOf(request).name;
      // An answer may take a case out of the scope of whoever gives it; which ones it may answer, the scope says.
      return context.inScope(request, async (scoped) =>
        takeReplies(context.engine, file, { by, on: await today(scoped), within: scoped }),
      );
    },
  );
}

/** @throws CORRECTION_UNKNOWN when no file of the list is of the feed, or several are and none is named */
function fileOf(
  files: readonly ListFile[],
  number: string,
  feed: string | undefined,
  format: FileFormat,
): ListFile {
  const inFormat = files.filter(({ name }) => name.endsWith(`.${format}`));
  const named = inFormat.filter(({ name }) => feed === undefined || name === `${number}_${feed}.${format}`);
  const [file, other] = named;
  if (file === undefined)
    throw new PopshareError('CORRECTION_UNKNOWN', `list ${number} has no cases of this feed`);
  if (other !== undefined) {
    const feeds = inFormat.map(({ name }) => name.slice(number.length + 1, -format.length - 1));
    throw new PopshareError(
      'CORRECTION_UNKNOWN',
      `list ${number} has several files: name one of ${feeds.join(', ')}`,
    );
  }
  return file;
}
