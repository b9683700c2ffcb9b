import { createHmac, timingSafeEqual } from 'node:crypto';
import type { FastifyRequest } from 'fastify';
import { sql } from 'kysely';
import { PopshareError } from '../schema/errors.ts';
import type { Warehouse } from '../schema/warehouse/connect.ts';
import { isPermitted, type Principal } from './access.ts';
import { keepSession, type SessionLimits } from './accounts/sessions.ts';
import { keepToken } from './accounts/tokens.ts';
import type { Server } from './context.ts';
import { PAGES_OF_LIBRARIES } from './pages-of-libraries.ts';
import { answerProblem } from './problems.ts';

/** The prefix binds the cookie to this host and to https; browsers take http on localhost for https. */
export const SESSION_COOKIE = '__Host-popshare';
const UNSAFE = new Set(['POST', 'PUT', 'PATCH', 'DELETE']);

/**
 * Lets a request through to its route only if whoever sends it may call it.
 *
 * A person comes with the session cookie, a system with `Authorization: Bearer`. A cookie is sent by the browser
 * whatever page makes it send: what changes something must also bear the session's CSRF token (OWASP, Cross-Site
 * Request Forgery Prevention, "HMAC based token pattern").
 */
export function addAuthentication(server: Server, engine: Warehouse, limits: SessionLimits): void {
  server.decorateRequest('principal', null);
  server.addHook('onRoute', (route) => {
    const library = PAGES_OF_LIBRARIES.find(({ prefix }) => route.url.startsWith(prefix));
    if (library !== undefined) route.config = { ...route.config, access: library.access };
    if (route.config?.access === undefined)
      throw new Error(`${String(route.method)} ${route.url} does not say who may call it`);
  });
  server.addHook('onRequest', async (request, reply) => {
    try {
      await admit(request, engine, limits);
    } catch (error) {
      // Answered here: the pages of libraries have error handlers of their own.
      return answerProblem(error, request, reply);
    }
  });
}

/** @throws UNAUTHENTICATED, FORBIDDEN, CSRF_TOKEN */
async function admit(request: FastifyRequest, engine: Warehouse, limits: SessionLimits): Promise<void> {
  const access = request.routeOptions.config.access ?? 'public';
  const bearer = /^Bearer ([\w-]{20,200})$/.exec(request.headers.authorization ?? '')?.[1];
  const token = bearer ?? request.cookies[SESSION_COOKIE];
  if (token !== undefined) request.principal = await principalOfToken(engine, token);
  if (access === 'public') return;
  const { principal } = request;
  if (principal === null)
    throw new PopshareError(
      'UNAUTHENTICATED',
      token === undefined ? 'nobody is signed in' : 'the session has ended',
    );
  if (bearer === undefined && UNSAFE.has(request.method)) requireCsrfToken(request, principal.token);
  if (!isPermitted(principal.role, access))
    throw new PopshareError('FORBIDDEN', `a ${principal.role} has no permission for ${access}`);
  if (principal.kind === 'account') await keepSession(engine.db, principal.token, limits);
  else await keepToken(engine.db, principal.token);
}

/** Who a token speaks for; null when it is none, or none any more. */
export async function principalOfToken(engine: Warehouse, token: string): Promise<Principal | null> {
  const { rows } = await sql<Omit<Principal, 'token'>>`SELECT * FROM access.principal(${token})`.execute(
    engine.db,
  );
  return rows[0] === undefined ? null : { ...rows[0], token };
}

/** The token that a page of this session sends with whatever changes something; other sites cannot know it. */
export function csrfTokenOf(sessionToken: string): string {
  return createHmac('sha256', sessionToken).update('csrf').digest('base64url');
}

/** @throws CSRF_TOKEN */
function requireCsrfToken(request: FastifyRequest, sessionToken: string): void {
  const expected = Buffer.from(csrfTokenOf(sessionToken));
  const given = Buffer.from(String(request.headers['x-csrf-token'] ?? ''));
  if (given.length !== expected.length || !timingSafeEqual(given, expected))
    throw new PopshareError('CSRF_TOKEN', 'the header x-csrf-token is missing or not of this session');
}
