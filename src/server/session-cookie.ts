import type { FastifyReply, FastifyRequest } from 'fastify';
import { PopshareError } from '../schema/errors.ts';
import type { Origin } from './accounts/sessions.ts';
import { SESSION_COOKIE } from './authentication.ts';

const ATTRIBUTES = { path: '/', httpOnly: true, secure: true, sameSite: 'strict' } as const;

/** Gives the browser the token of its session. The server says when the session ends, not the cookie. */
export function setSessionCookie(reply: FastifyReply, token: string): void {
  reply.setCookie(SESSION_COOKIE, token, ATTRIBUTES).header('cache-control', 'no-store');
}

export function clearSessionCookie(reply: FastifyReply): void {
  reply.clearCookie(SESSION_COOKIE, ATTRIBUTES);
}

/** Where a request comes from. */
export function originOf(request: FastifyRequest): Origin {
  return { address: request.ip, userAgent: request.headers['user-agent'] ?? null };
}

/**
 * Refuses what a page of another site makes the browser send, where there is no session and so no CSRF token yet.
 * (Other sites cannot send JSON without asking first; browsers say besides from where a request comes.)
 *
 * @throws CSRF_TOKEN
 */
export async function requireSameSite(request: FastifyRequest): Promise<void> {
  if (request.headers['sec-fetch-site'] === 'cross-site')
    throw new PopshareError('CSRF_TOKEN', 'another site sent the request');
}
