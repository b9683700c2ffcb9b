import type { FastifyReply } from 'fastify';
import { sql } from 'kysely';
import { z } from 'zod';
import { recordAct } from '../../schema/warehouse/audit.ts';
import { PERMISSIONS, type Principal } from '../access.ts';
import { accountName } from '../accounts/account-input.ts';
import { MOST_CHARACTERS } from '../accounts/password-rules.ts';
import { endSession } from '../accounts/sessions.ts';
import { needsSetUp, setUp } from '../accounts/set-up.ts';
import { offerFirstAuthenticator, signIn } from '../accounts/sign-in.ts';
import { csrfTokenOf, principalOfToken, SESSION_COOKIE } from '../authentication.ts';
import { principalOf, type Server, type ServerContext } from '../context.ts';
import { PROBLEMS } from '../problems.ts';
import { clearSessionCookie, originOf, requireSameSite, setSessionCookie } from '../session-cookie.ts';

/** Somebody may paste the wrong thing; a hash of a book is not computed. */
const secretText = z
  .string()
  .min(1)
  .max(MOST_CHARACTERS * 2);
const signInName = z.string().min(1).max(200);
const code = z.string().min(6).max(40).describe('of the authenticator, or a recovery code');

export const sessionSchema = z
  .object({
    kind: z.enum(['account', 'token']),
    name: z.string(),
    display_name: z.string(),
    role: z.string(),
    division: z
      .string()
      .nullable()
      .describe('digits that the codes of the scope begin with; null: everywhere'),
    department: z.string().nullable().describe('null: all of them'),
    permissions: z.array(z.string()),
    csrf_token: z
      .string()
      .nullable()
      .describe('for the header x-csrf-token; null for tokens, which need none'),
  })
  .meta({ id: 'Session' });

const signedIn = sessionSchema.extend({
  recovery_codes: z
    .array(z.string())
    .nullable()
    .describe('of an authenticator that this sign-in confirmed; told this once'),
});

/** `/api/session` and `/api/set-up`: signing in and out with a password. */
export function addSessionRoutes(server: Server, context: ServerContext): void {
  const { engine, configuration, sealing } = context;
  const { session, accounts, oidc } = configuration.settings.server;

  server.get(
    '/api/sign-in',
    {
      config: { access: 'public' },
      schema: {
        tags: ['session'],
        summary: 'By which ways one may sign in here',
        response: {
          200: z.object({
            oidc: z.object({ zh: z.string(), en: z.string() }).nullable(),
            needs_set_up: z.boolean().describe('there is no account yet'),
          }),
          ...PROBLEMS,
        },
      },
    },
    async () => ({ oidc: oidc?.label ?? null, needs_set_up: await needsSetUp(engine.db) }),
  );

  server.post(
    '/api/session',
    {
      config: { access: 'public' },
      preHandler: requireSameSite,
      schema: {
        tags: ['session'],
        summary: 'Signs in, in one step; what is lacking is said: CODE_REQUIRED, PASSWORD_EXPIRED …',
        body: z.strictObject({
          name: signInName,
          password: secretText,
          code: code.optional(),
          new_password: secretText.optional(),
        }),
        response: { 200: signedIn, ...PROBLEMS },
      },
    },
    async (request, reply) => {
      const { name, password, code: given, new_password } = request.body;
      const { token, recoveryCodes } = await signIn(
        engine,
        { name, password, code: given, newPassword: new_password },
        {
          ...{ origin: originOf(request), at: new Date(), accounts, session, sealing },
          previousToken: request.cookies[SESSION_COOKIE],
        },
      );
      return { ...(await enter(reply, token)), recovery_codes: recoveryCodes && [...recoveryCodes] };
    },
  );

  server.post(
    '/api/session/authenticator',
    {
      config: { access: 'public' },
      preHandler: requireSameSite,
      schema: {
        tags: ['session'],
        summary: 'Shows an authenticator to somebody who must have one to sign in (CODE_SETUP_REQUIRED)',
        body: z.strictObject({ name: signInName, password: secretText }),
        response: { 200: authenticatorSchema, ...PROBLEMS },
      },
    },
    async (request, reply) => {
      reply.header('cache-control', 'no-store');
      const terms = { origin: originOf(request), at: new Date(), accounts, sealing };
      return offerFirstAuthenticator(engine, request.body, terms);
    },
  );

  server.get(
    '/api/session',
    {
      config: { access: 'signed in' },
      schema: {
        tags: ['session'],
        summary: 'Who one is, what one may, in which scope',
        response: { 200: sessionSchema, ...PROBLEMS },
      },
    },
    async (request, reply) => {
      reply.header('cache-control', 'no-store');
      return describe(principalOf(request));
    },
  );

  server.delete(
    '/api/session',
    {
      config: { access: 'signed in' },
      schema: { tags: ['session'], summary: 'Signs out', response: { 204: z.null(), ...PROBLEMS } },
    },
    async (request, reply) => {
      const { kind, token, name, id } = principalOf(request);
      if (kind === 'account') {
        await engine.db.transaction().execute(async (tx) => {
          await endSession(tx, token);
          const detail = { address: request.ip };
          await recordAct(tx, { actor: name, action: 'sign_out', subject: `account ${id}`, detail });
        });
        clearSessionCookie(reply);
      }
      return reply.code(204).send(null);
    },
  );

  server.post(
    '/api/set-up',
    {
      config: { access: 'public' },
      preHandler: requireSameSite,
      schema: {
        tags: ['session'],
        summary: 'Makes the first administrator, with the secret of the link that the server printed',
        body: z.strictObject({
          secret: z.string().min(1).max(200),
          name: accountName,
          display_name: z.string().trim().min(1).max(100),
          password: secretText,
        }),
        response: { 200: sessionSchema, ...PROBLEMS },
      },
    },
    async (request, reply) => {
      const terms = { origin: originOf(request), session, at: new Date() };
      return enter(reply, await setUp(engine, request.body, terms));
    },
  );

  /** Gives the browser a session's cookie, and says whose it is. */
  async function enter(reply: FastifyReply, token: string): Promise<z.input<typeof sessionSchema>> {
    setSessionCookie(reply, token);
    const principal = await principalOfToken(engine, token);
    if (principal === null) throw new Error('the session has ended before it began');
    return describe(principal);
  }

  async function describe(principal: Principal): Promise<z.input<typeof sessionSchema>> {
    const { kind, id, name, role, division, department, token } = principal;
    const { rows } = await sql<{ display_name: string }>`
      SELECT display_name FROM access.account WHERE account_id = ${id} AND ${kind} = 'account'`.execute(
      engine.db,
    );
    return {
      ...{ kind, name, role, division, department },
      display_name: rows[0]?.display_name ?? name,
      permissions: permissionsOf(role),
      csrf_token: kind === 'account' ? csrfTokenOf(token) : null,
    };
  }
}

export const authenticatorSchema = z
  .object({
    secret: z.string().describe('base 32, to type'),
    uri: z.string().describe('otpauth://…, to show as a QR code'),
  })
  .meta({ id: 'Authenticator' });

function permissionsOf(role: string): string[] {
  return Object.entries(PERMISSIONS).flatMap(([permission, roles]) =>
    roles.some((permitted) => permitted === role) ? [permission] : [],
  );
}
