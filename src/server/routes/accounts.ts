import { z } from 'zod';
import { type AccountSurroundings, accountChanges, newAccountFields } from '../accounts/account-input.ts';
import { listAccounts, readAccount } from '../accounts/account-list.ts';
import {
  changeAccount,
  createAccount,
  endAllSessions,
  resetAccount,
  type Seen,
  setDisabled,
} from '../accounts/administration.ts';
import { ROLES } from '../accounts/roles.ts';
import { principalOf, type Server, type ServerContext } from '../context.ts';
import { etagOf, versionOf } from '../etag.ts';
import { PROBLEMS } from '../problems.ts';
import { idInPath, moment, pageOf, pageQuery } from '../schemas.ts';

const account = z
  .object({
    account_id: z.int(),
    version: z.int(),
    name: z.string(),
    display_name: z.string(),
    role: z.enum(ROLES),
    division: z.string().nullable(),
    department: z.string().nullable(),
    email: z.string().nullable(),
    oidc_issuer: z.string().nullable(),
    oidc_subject: z.string().nullable(),
    oidc_email: z.string().nullable(),
    has_password: z.boolean(),
    must_change: z.boolean().describe('the password is good for one sign-in, at which another is chosen'),
    has_authenticator: z.boolean(),
    locked_until: moment.nullable(),
    disabled_at: moment.nullable(),
    created_at: moment,
    sessions: z.int(),
  })
  .meta({ id: 'Account' });

const newAccess = account.extend({
  one_time_password: z
    .string()
    .nullable()
    .describe(
      'told this once; good for seven days and one sign-in. Null: the owner signs in at the provider',
    ),
});

const ifMatch = z.object({ 'if-match': z.string().optional() });

/** `/api/accounts`: who may come in, and what they may. */
export function addAccountRoutes(server: Server, context: ServerContext): void {
  const { engine, configuration } = context;
  const surroundings: AccountSurroundings = {
    departments: Object.keys(configuration.settings.departments),
    issuer: configuration.settings.server.oidc?.issuer ?? null,
  };
  const config = { access: 'accounts' } as const;
  const tags = ['accounts'];

  server.get(
    '/api/accounts',
    {
      config,
      schema: {
        tags,
        summary: 'Accounts in the order of their names, a page at a time',
        querystring: pageQuery.extend({
          role: z.enum(ROLES).optional(),
          disabled: z
            .enum(['true', 'false'])
            .transform((text) => text === 'true')
            .optional(),
          text: z.string().min(1).max(100).optional().describe('part of a name'),
        }),
        response: { 200: pageOf(account), ...PROBLEMS },
      },
    },
    async (request) => listAccounts(engine.db, request.query),
  );

  server.post(
    '/api/accounts',
    {
      config,
      schema: {
        tags,
        summary: 'Makes an account',
        body: newAccountFields,
        response: { 201: newAccess, ...PROBLEMS },
      },
    },
    async (request, reply) => {
      const made = await createAccount(engine, request.body, principalOf(request), {
        ...surroundings,
        at: new Date(),
      });
      reply
        .code(201)
        .header('location', `/api/accounts/${made.account.account_id}`)
        .header('etag', etagOf(made.account.version))
        .header('cache-control', 'no-store');
      return { ...made.account, one_time_password: made.oneTimePassword };
    },
  );

  server.get(
    '/api/accounts/:id',
    {
      config,
      schema: {
        tags,
        summary: 'One account; the ETag is its version',
        params: idInPath,
        response: { 200: account, ...PROBLEMS },
      },
    },
    async (request, reply) => {
      const found = await readAccount(engine.db, request.params.id);
      reply.header('etag', etagOf(found.version));
      return found;
    },
  );

  server.patch(
    '/api/accounts/:id',
    {
      config,
      schema: {
        tags,
        summary: 'Changes an account as it was seen; other rights end its sessions',
        params: idInPath,
        headers: ifMatch,
        body: accountChanges,
        response: { 200: account, ...PROBLEMS },
      },
    },
    async (request, reply) => {
      const changed = await changeAccount(
        engine,
        seen(request),
        request.body,
        principalOf(request),
        surroundings,
      );
      reply.header('etag', etagOf(changed.version));
      return changed;
    },
  );

  for (const [verb, disabled, summary] of [
    ['disable', true, 'Lets nobody in with an account any more; its sessions end at once'],
    ['enable', false, 'Lets the owner of a disabled account in again'],
  ] as const) {
    server.post(
      `/api/accounts/:id/${verb}`,
      {
        config,
        schema: {
          ...{ tags, summary, params: idInPath, headers: ifMatch },
          response: { 200: account, ...PROBLEMS },
        },
      },
      async (request, reply) => {
        const changed = await setDisabled(engine, seen(request), disabled, principalOf(request));
        reply.header('etag', etagOf(changed.version));
        return changed;
      },
    );
  }

  server.post(
    '/api/accounts/:id/reset',
    {
      config,
      schema: {
        tags,
        summary: 'Gives an account a new one-time password; ends its sessions and its lock',
        params: idInPath,
        headers: ifMatch,
        body: z.strictObject({
          authenticator: z.boolean().default(false).describe('takes the authenticator away, too'),
        }),
        response: { 200: newAccess, ...PROBLEMS },
      },
    },
    async (request, reply) => {
      const by = principalOf(request);
      const { account: changed, oneTimePassword } = await resetAccount(
        engine,
        seen(request),
        request.body,
        by,
        new Date(),
      );
      reply.header('etag', etagOf(changed.version)).header('cache-control', 'no-store');
      return { ...changed, one_time_password: oneTimePassword };
    },
  );

  server.delete(
    '/api/accounts/:id/sessions',
    {
      config,
      schema: {
        tags,
        summary: 'Ends all sessions of an account',
        params: idInPath,
        response: { 200: z.object({ ended: z.int() }), ...PROBLEMS },
      },
    },
    async (request) => ({
      ended: await endAllSessions(engine, request.params.id, principalOf(request)),
    }),
  );
}

/** @throws PRECONDITION_REQUIRED */
function seen(request: { params: { id: number }; headers: { 'if-match'?: string | undefined } }): Seen {
  return { accountId: request.params.id, version: versionOf(request.headers['if-match']) };
}
