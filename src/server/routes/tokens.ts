import { z } from 'zod';
import { createToken, listTokens, MOST_DAYS, revokeToken, TOKEN_ROLES } from '../accounts/tokens.ts';
import { principalOf, type Server, type ServerContext } from '../context.ts';
import { PROBLEMS } from '../problems.ts';
import { idInPath, moment, pageOf, pageQuery } from '../schemas.ts';

const tokenRow = z
  .object({
    token_id: z.int(),
    name: z.string(),
    role: z.enum(TOKEN_ROLES),
    department: z.string().nullable(),
    created_by: z.string(),
    created_at: moment,
    expires_at: moment,
    revoked_at: moment.nullable(),
    last_used_at: moment.nullable(),
  })
  .meta({ id: 'ServiceToken' });

/** What an administrator gives of a token; the command line asks for the same. */
export const newToken = z.strictObject({
  name: z
    .string()
    .regex(/^[\p{L}\p{N}][\p{L}\p{N} ._-]{0,99}$/u, 'expected letters, digits, spaces, dots or hyphens')
    .describe('what it is for'),
  role: z.enum(TOKEN_ROLES),
  department: z.string().nullable().default(null),
  days: z.int().min(1).max(MOST_DAYS).default(MOST_DAYS).describe('until it expires'),
});

/** `/api/tokens`: tokens of departments' systems and of dashboards. */
export function addTokenRoutes(server: Server, context: ServerContext): void {
  const { engine, configuration } = context;
  const departments = Object.keys(configuration.settings.departments);
  const config = { access: 'accounts' } as const;
  const tags = ['tokens'];

  server.get(
    '/api/tokens',
    {
      config,
      schema: {
        tags,
        summary: 'Service tokens, the latest first',
        querystring: pageQuery.extend({ after: z.coerce.number<string>().int().min(1).optional() }),
        response: { 200: pageOf(tokenRow), ...PROBLEMS },
      },
    },
    async (request) => listTokens(engine.db, request.query),
  );

  server.post(
    '/api/tokens',
    {
      config,
      schema: {
        tags,
        summary: 'Makes a token for a department’s system, or for a dashboard',
        body: newToken,
        response: { 201: tokenRow.extend({ token: z.string().describe('told this once') }), ...PROBLEMS },
      },
    },
    async (request, reply) => {
      const { token, row } = await createToken(engine, request.body, principalOf(request), { departments });
      reply.code(201).header('cache-control', 'no-store');
      return { ...row, token };
    },
  );

  server.delete(
    '/api/tokens/:id',
    {
      config,
      schema: {
        tags,
        summary: 'Lets nobody in with a token any more',
        params: idInPath,
        response: { 200: tokenRow, ...PROBLEMS },
      },
    },
    async (request) => revokeToken(engine, request.params.id, principalOf(request)),
  );
}
