import { z } from 'zod';
import { listOfficers } from '../accounts/officers.ts';
import { principalOf, type Server, type ServerContext } from '../context.ts';
import { PROBLEMS } from '../problems.ts';

const officer = z
  .object({
    name: z.string().describe('what `owner` of a case takes'),
    display_name: z.string(),
    role: z.enum(['officer', 'supervisor']),
    division: z.string().nullable().describe('null: everywhere'),
    department: z.string().nullable().describe('null: all of them'),
  })
  .meta({ id: 'Officer' });

/** `/api/officers`: to whom a supervisor can give cases. */
export function addOfficerRoutes(server: Server, context: ServerContext): void {
  server.get(
    '/api/officers',
    {
      config: { access: 'cases in bulk' },
      schema: {
        tags: ['anomalies'],
        summary: 'Officers and supervisors whose scope meets the own one: to whom cases can be given',
        response: { 200: z.object({ items: z.array(officer) }), ...PROBLEMS },
      },
    },
    // Accounts are not read under the scope of a session; these few are colleagues, and nothing is told of them but their work.
    async (request) => ({ items: await listOfficers(context.engine.db, principalOf(request)) }),
  );
}
