import type { FastifyRequest } from 'fastify';
import { z } from 'zod';
import { recordAct } from '../../schema/warehouse/audit.ts';
import {
  beginAuthenticator,
  changePassword,
  dropAuthenticator,
  finishAuthenticator,
  type Owner,
} from '../accounts/own-account.ts';
import { MOST_CHARACTERS } from '../accounts/password-rules.ts';
import { endSessionOf, endSessions, listSessions } from '../accounts/sessions.ts';
import { csrfTokenOf } from '../authentication.ts';
import { principalOf, type Server, type ServerContext } from '../context.ts';
import { PROBLEMS } from '../problems.ts';
import { idInPath, moment } from '../schemas.ts';
import { originOf, setSessionCookie } from '../session-cookie.ts';
import { authenticatorSchema } from './session.ts';

const secretText = z
  .string()
  .min(1)
  .max(MOST_CHARACTERS * 2);

const sessionRow = z
  .object({
    session_id: z.int(),
    created_at: moment,
    seen_at: moment,
    expires_at: moment,
    method: z.string(),
    address: z.string().nullable(),
    user_agent: z.string().nullable(),
    current: z.boolean(),
  })
  .meta({ id: 'SessionRow' });

/** `/api/account`: what everybody does with the own account. */
export function addOwnAccountRoutes(server: Server, context: ServerContext): void {
  const { engine, configuration } = context;
  const { session, accounts } = configuration.settings.server;
  const config = { access: 'own account' } as const;
  const tags = ['own account'];
  const ownerOf = (request: FastifyRequest): Owner => ({
    principal: principalOf(request),
    origin: originOf(request),
    at: new Date(),
    sealing: context.sealing,
  });

  server.get(
    '/api/account/sessions',
    {
      config,
      schema: {
        tags,
        summary: 'Where one is signed in',
        response: { 200: z.object({ items: z.array(sessionRow) }), ...PROBLEMS },
      },
    },
    async (request) => {
      const { principal } = ownerOf(request);
      return { items: await listSessions(engine.db, principal.id, principal.token) };
    },
  );

  server.delete(
    '/api/account/sessions/:id',
    {
      config,
      schema: {
        tags,
        summary: 'Signs out elsewhere: one session',
        params: idInPath,
        response: { 204: z.null(), ...PROBLEMS },
      },
    },
    async (request, reply) => {
      const owner = ownerOf(request);
      await engine.db.transaction().execute(async (tx) => {
        await endSessionOf(tx, owner.principal.id, request.params.id);
        await tellSignOut(tx, owner, { session_id: request.params.id });
      });
      return reply.code(204).send(null);
    },
  );

  server.delete(
    '/api/account/sessions',
    {
      config,
      schema: {
        tags,
        summary: 'Signs out everywhere else',
        response: { 200: z.object({ ended: z.int() }), ...PROBLEMS },
      },
    },
    async (request) => {
      const owner = ownerOf(request);
      const ended = await engine.db.transaction().execute(async (tx) => {
        const count = await endSessions(tx, owner.principal.id, owner.principal.token);
        await tellSignOut(tx, owner, { other_sessions: count });
        return count;
      });
      return { ended };
    },
  );

  server.post(
    '/api/account/password',
    {
      config,
      schema: {
        tags,
        summary: 'Changes the own password; all other sessions end, and this one gets another cookie',
        body: z.strictObject({ password: secretText, new_password: secretText }),
        response: { 200: z.object({ csrf_token: z.string() }), ...PROBLEMS },
      },
    },
    async (request, reply) => {
      const { password, new_password } = request.body;
      const token = await changePassword(
        engine,
        ownerOf(request),
        { password, newPassword: new_password },
        session,
      );
      setSessionCookie(reply, token);
      return { csrf_token: csrfTokenOf(token) };
    },
  );

  server.post(
    '/api/account/authenticator',
    {
      config,
      schema: {
        tags,
        summary: 'Shows a new authenticator; PUT its code to make it one’s own',
        body: z.strictObject({ password: secretText }),
        response: { 200: authenticatorSchema, ...PROBLEMS },
      },
    },
    async (request, reply) => {
      reply.header('cache-control', 'no-store');
      return beginAuthenticator(engine, ownerOf(request), request.body.password);
    },
  );

  server.put(
    '/api/account/authenticator',
    {
      config,
      schema: {
        tags,
        summary: 'Makes the authenticator that was shown one’s own; recovery codes are told this once',
        body: z.strictObject({ code: z.string().min(6).max(10) }),
        response: { 200: z.object({ recovery_codes: z.array(z.string()) }), ...PROBLEMS },
      },
    },
    async (request, reply) => {
      reply.header('cache-control', 'no-store');
      return { recovery_codes: await finishAuthenticator(engine, ownerOf(request), request.body.code) };
    },
  );

  server.post(
    '/api/account/authenticator/removal',
    {
      config,
      schema: {
        tags,
        summary: 'Signs in without an authenticator from now on, if the role may',
        body: z.strictObject({ password: secretText }),
        response: { 204: z.null(), ...PROBLEMS },
      },
    },
    async (request, reply) => {
      await dropAuthenticator(engine, ownerOf(request), request.body.password, accounts);
      return reply.code(204).send(null);
    },
  );
}

async function tellSignOut(
  tx: Parameters<typeof recordAct>[0],
  { principal, origin }: Owner,
  detail: Record<string, unknown>,
): Promise<void> {
  const { name, id } = principal;
  await recordAct(tx, {
    actor: name,
    action: 'sign_out',
    subject: `account ${id}`,
    detail: { ...detail, address: origin.address },
  });
}
