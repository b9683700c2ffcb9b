import { createHmac, timingSafeEqual } from 'node:crypto';
import type { FastifyRequest } from 'fastify';
import { sql } from 'kysely';
import { PopshareError } from '../schema/errors.ts';
import type { Warehouse } from '../schema/warehouse/connect.ts';
import { isPermitted, type Principal } from './access.ts';
import { keepSession, type SessionLimits } from './accounts/sessions.ts';
import type { Server } from './context.ts';

/** The prefix binds the cookie to this host and to https; browsers take http on localhost for https. */
export const SESSION_COOKIE = '__Host-popshare';
/** Where the API document is shown. */
export const DOCUMENT_PAGES = '/api/docs';
const UNSAFE = new Set(['POST', 'PUT', 'PATCH', 'DELETE']);

/**
 * Lets a request through to its route only if whoever sends it may call it.
 *
 * A person comes with the session cookie, a system with `Authorization: Bearer`. A cookie is sent by the browser
 * whatever page makes it send: what changes something must also bear the session's CSRF token (OWASP, Cross-Site
 * Request Forgery Prevention, "HMAC based token pattern").
 *
 * @throws UNAUTHENTICATED, FORBIDDEN, CSRF_TOKEN
 */
export function addAuthentication(server: Server, engine: Warehouse, limits: SessionLimits): void {
  server.decorateRequest('principal', null);
  server.addHook('onRoute', (route) => {
    // The pages that show the document come from a library; they say what the document says.
    if (route.url.startsWith(DOCUMENT_PAGES)) route.config = { ...route.config, access: 'public' };
    if (route.config?.access === undefined)
      throw new Error(`${String(route.method)} ${route.url} does not say who may call it`);
  });
  server.addHook('onRequest', async (request) => {
    const access = request.routeOptions.config.access ?? 'public';
    const bearer = /^Bearer ([\w-]{20,200})$/.exec(request.headers.authorization ?? '')?.[1];
    const token = bearer ?? request.cookies[SESSION_COOKIE];
    if (token !== undefined) request.principal = await principalOfToken(engine, token);
    if (access === 'public') return;
    if (request.principal === null)
      throw new PopshareError(
        'UNAUTHENTICATED',
        token === undefined ? 'nobody is signed in' : 'the session has ended',
      );
    if (bearer === undefined && UNSAFE.has(request.method))
      requireCsrfToken(request, request.principal.token);
    if (!isPermitted(request.principal.role, access))
      throw new PopshareError('FORBIDDEN', `a ${request.principal.role} has no permission for ${access}`);
    if (request.principal.kind === 'account') await keepSession(engine.db, request.principal.token, limits);
  });
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
