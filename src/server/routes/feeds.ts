import { sql } from 'kysely';
import { z } from 'zod';
import { principalOf, type Server, type ServerContext } from '../context.ts';
import { PROBLEMS } from '../problems.ts';

const words = z.object({ zh: z.string(), en: z.string() });

const feed = z
  .object({
    feed: z.string(),
    title: words,
    department: z.string(),
    department_title: words,
    mode: z.enum(['snapshot', 'incremental']),
    cut_off: z.string(),
    fields: z.array(
      z.object({
        name: z.string(),
        source: z.string().nullable(),
        title: words,
        required: z.boolean(),
        masked: z.boolean(),
      }),
    ),
    applied_date: z.string().nullable().describe('business date of what stands in the registry'),
    records: z.int().nullable().describe('rows of the last applied delivery'),
  })
  .meta({ id: 'Feed' });

/** `/api/feeds`: what each department sends, and how far each feed has come. */
export function addFeedRoutes(server: Server, context: ServerContext): void {
  server.get(
    '/api/feeds',
    {
      config: { access: 'ledger' },
      schema: {
        tags: ['feeds'],
        summary: 'The feeds of this site: whose, how, by when, with which fields',
        response: { 200: z.object({ items: z.array(feed) }), ...PROBLEMS },
      },
    },
    async (request) => {
      const { department } = principalOf(request);
      const { bindings, settings } = context.configuration;
      const { rows } = await context.inScope(request, ({ db }) =>
        sql<{ feed: string; business_date: string; received: number }>`
          SELECT feed, business_date, received FROM ops.feed_state`.execute(db),
      );
      const shown = bindings.filter(
        ({ contract }) => department === null || contract.department === department,
      );
      return {
        items: shown.map(({ contract, cut_off, columns }) => {
          const state = rows.find((row) => row.feed === contract.feed);
          return {
            feed: contract.feed,
            title: contract.title,
            department: contract.department,
            department_title: settings.departments[contract.department] ?? {
              zh: contract.department,
              en: contract.department,
            },
            mode: contract.mode,
            cut_off,
            fields: Object.entries(contract.fields).map(([name, field]) => ({
              name,
              source: columns[name] ?? null,
              title: field.meaning,
              required: field.required,
              masked: field.masking !== 'none',
            })),
            applied_date: state?.business_date ?? null,
            records: state?.received ?? null,
          };
        }),
      };
    },
  );
}
