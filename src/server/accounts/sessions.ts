import { type Kysely, sql } from 'kysely';
import type { DB } from '../../schema/database.ts';
import { PopshareError } from '../../schema/errors.ts';
import { hashOf, newSecret } from './secrets.ts';

/** How long a session lives: from the sign-in, and from the last request. */
export interface SessionLimits {
  readonly hours: number;
  readonly idle_minutes: number;
}

/** Where a request comes from, as far as one can tell. */
export interface Origin {
  readonly address: string;
  readonly userAgent: string | null;
}

export type SignInMethod = 'password' | 'password and code' | 'oidc';

/** A session as its owner sees it. */
export interface SessionRow {
  readonly session_id: number;
  readonly created_at: Date;
  readonly seen_at: Date;
  readonly expires_at: Date;
  readonly method: SignInMethod;
  readonly address: string | null;
  readonly user_agent: string | null;
  /** The one that asks. */
  readonly current: boolean;
}

/** A browser may say of itself what it likes. */
const MOST_CHARACTERS = 300;

/**
 * Opens a session for an account; who it is has been proven.
 *
 * @returns the token for the cookie; the warehouse keeps its hash alone
 */
export async function openSession(
  db: Kysely<DB>,
  accountId: number,
  { idle_minutes }: SessionLimits,
  by: { readonly method: SignInMethod; readonly origin: Origin | null } = {
    method: 'password',
    origin: null,
  },
): Promise<string> {
  const token = newSecret();
  await sql`
    INSERT INTO access.session (token_hash, account_id, expires_at, method, address, user_agent)
    VALUES (${hashOf(token)}, ${accountId}, now() + make_interval(mins => ${idle_minutes}::integer), ${by.method},
            ${by.origin?.address ?? null}, ${by.origin?.userAgent?.slice(0, MOST_CHARACTERS) ?? null})`.execute(
    db,
  );
  return token;
}

/**
 * Tells that a session is used: it ends `idle_minutes` from now, at the latest `hours` after the sign-in. Written at
 * most once a minute.
 */
export async function keepSession(
  db: Kysely<DB>,
  token: string,
  { hours, idle_minutes }: SessionLimits,
): Promise<void> {
  await sql`
    UPDATE access.session
    SET seen_at = now(),
        expires_at = least(created_at + make_interval(hours => ${hours}::integer),
                           now() + make_interval(mins => ${idle_minutes}::integer))
    WHERE token_hash = ${hashOf(token)} AND seen_at < now() - interval '1 minute'`.execute(db);
}

/** The sessions of an account that are alive, the latest first. */
export async function listSessions(db: Kysely<DB>, accountId: number, token: string): Promise<SessionRow[]> {
  const { rows } = await sql<SessionRow>`
    SELECT session_id, created_at, seen_at, expires_at, method, address, user_agent, token_hash = ${hashOf(token)} AS current
    FROM access.session WHERE account_id = ${accountId} AND expires_at > now() ORDER BY session_id DESC`.execute(
    db,
  );
  return rows;
}

/** Ends the session of a token. */
export async function endSession(db: Kysely<DB>, token: string): Promise<void> {
  await sql`DELETE FROM access.session WHERE token_hash = ${hashOf(token)}`.execute(db);
}

/**
 * Ends one session of an account.
 *
 * @throws SESSION_UNKNOWN when it is none of the account's, or has ended
 */
export async function endSessionOf(db: Kysely<DB>, accountId: number, sessionId: number): Promise<void> {
  const { rows } = await sql`
    DELETE FROM access.session WHERE account_id = ${accountId} AND session_id = ${sessionId} AND expires_at > now()
    RETURNING 1 AS ended`.execute(db);
  if (rows.length === 0) throw new PopshareError('SESSION_UNKNOWN', `you have no session ${sessionId}`);
}

/**
 * Ends the sessions of an account.
 *
 * @param exceptToken the session that stays
 * @returns how many
 */
export async function endSessions(db: Kysely<DB>, accountId: number, exceptToken?: string): Promise<number> {
  const { rows } = await sql`
    DELETE FROM access.session
    WHERE account_id = ${accountId} AND token_hash IS DISTINCT FROM ${exceptToken === undefined ? null : hashOf(exceptToken)}
    RETURNING 1 AS ended`.execute(db);
  return rows.length;
}
