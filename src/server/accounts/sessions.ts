import { type Kysely, sql } from 'kysely';
import type { DB } from '../../schema/database.ts';
import { hashOf, newSecret } from './secrets.ts';

/** How long a session lives: from the sign-in, and from the last request. */
export interface SessionLimits {
  readonly hours: number;
  readonly idle_minutes: number;
}

/**
 * Opens a session for an account; who it is has been proven.
 *
 * @returns the token for the cookie; the warehouse keeps its hash alone
 */
export async function openSession(
  db: Kysely<DB>,
  accountId: number,
  { idle_minutes }: SessionLimits,
): Promise<string> {
  const token = newSecret();
  await sql`
    INSERT INTO access.session (token_hash, account_id, expires_at)
    VALUES (${hashOf(token)}, ${accountId}, now() + make_interval(mins => ${idle_minutes}::integer))`.execute(
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
