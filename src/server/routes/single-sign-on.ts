import { z } from 'zod';
import { PopshareError } from '../../schema/errors.ts';
import { openProvider } from '../accounts/oidc.ts';
import { SESSION_COOKIE } from '../authentication.ts';
import type { Server, ServerContext } from '../context.ts';
import { PROBLEMS } from '../problems.ts';
import { publicAddress } from '../public-address.ts';
import { originOf, setSessionCookie } from '../session-cookie.ts';

const CALLBACK = '/api/session/oidc/callback';
const ATTEMPT_COOKIE = '__Host-popshare-oidc';
/** Lax, not Strict: it must come along when the provider, another site, sends the browser back. */
const ATTEMPT_ATTRIBUTES = { path: '/', httpOnly: true, secure: true, sameSite: 'lax', maxAge: 600 } as const;

/** A page of this site, and of no other. */
const ownPage = z
  .string()
  .max(500)
  .regex(/^\/(?![/\\])[\x21-\x7e]*$/, 'expected a path of this site')
  .default('/');

/** What comes back is read by the library, with whatever else a provider sends. */
const fromProvider = z.string().max(4000).optional();

/** `/api/session/oidc`: signing in at the identity provider. */
export function addSingleSignOnRoutes(server: Server, context: ServerContext): void {
  const { settings } = context.configuration;
  const { oidc, session } = settings.server;
  const provider =
    oidc === undefined ? null : openProvider(oidc, publicAddress(settings) + CALLBACK, process.env);

  server.get(
    '/api/session/oidc',
    {
      config: { access: 'public' },
      schema: {
        tags: ['session'],
        summary: 'Sends the browser to the identity provider',
        querystring: z.object({ return_to: ownPage }),
        response: { 302: z.string(), ...PROBLEMS },
      },
    },
    async (request, reply) => {
      const { url, state } = await known().begin(context.engine.db, request.query.return_to);
      reply.setCookie(ATTEMPT_COOKIE, state, ATTEMPT_ATTRIBUTES).header('cache-control', 'no-store');
      return reply.redirect(url);
    },
  );

  server.get(
    CALLBACK,
    {
      config: { access: 'public' },
      schema: {
        tags: ['session'],
        summary: 'Where the identity provider sends the browser back to',
        querystring: z.object({ code: fromProvider, state: fromProvider, error: fromProvider }),
        response: { 200: z.string().describe('a page that goes on'), ...PROBLEMS },
      },
    },
    async (request, reply) => {
      const terms = { origin: originOf(request), session, previousToken: request.cookies[SESSION_COOKIE] };
      const answer = { query: queryOf(request.url), state: request.cookies[ATTEMPT_COOKIE] };
      reply.clearCookie(ATTEMPT_COOKIE, ATTEMPT_ATTRIBUTES);
      const { token, returnTo } = await known().finish(context.engine, answer, terms);
      setSessionCookie(reply, token);
      return reply.type('text/html; charset=utf-8').send(pageThatGoesOn(returnTo));
    },
  );

  /** @throws ROUTE_UNKNOWN */
  function known() {
    if (provider === null) throw new PopshareError('ROUTE_UNKNOWN', 'popshare.yaml has no server.oidc');
    return provider;
  }
}

function queryOf(url: string): string {
  const at = url.indexOf('?');
  return at === -1 ? '' : url.slice(at);
}

/**
 * Not a redirect: the browser would follow it in the name of the provider, another site, and keep the session's
 * cookie, which is Strict, to itself. A page of ours that goes on is this site.
 */
function pageThatGoesOn(path: string): string {
  const to = path.replaceAll(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
  return `<!doctype html><html lang="zh-CN"><head><meta charset="utf-8"><title>popshare</title>
<meta http-equiv="refresh" content="0;url=${to}"></head><body><p><a href="${to}">继续</a></p></body></html>`;
}
