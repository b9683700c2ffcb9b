import { type Kysely, sql } from 'kysely';
import type { DB } from '../../schema/database.ts';
import { PopshareError } from '../../schema/errors.ts';
import { recordAct } from '../../schema/warehouse/audit.ts';
import type { Queryable } from '../../schema/warehouse/connect.ts';
import type { AccountSurroundings, Administrator } from './account-input.ts';
import { hashOf, newSecret } from './secrets.ts';

/** The longest life of a token. */
export const MOST_DAYS = 365;
/** What tokens begin with, so that scanners of source code find one that was left there. */
const PREFIX = 'popshare_';

export const TOKEN_ROLES = ['department', 'dashboard'] as const;
export type TokenRole = (typeof TOKEN_ROLES)[number];

/** A token as administrators see it; what it is, nobody sees again. */
export interface ServiceToken {
  readonly token_id: number;
  readonly name: string;
  readonly role: TokenRole;
  readonly department: string | null;
  readonly created_by: string;
  readonly created_at: Date;
  readonly expires_at: Date;
  readonly revoked_at: Date | null;
  /** Within a minute. */
  readonly last_used_at: Date | null;
}

export interface NewTokenFields {
  /** Of what it is for. */
  readonly name: string;
  readonly role: TokenRole;
  readonly department: string | null;
  /** 1 to 365. */
  readonly days: number;
}

const COLUMNS = sql`token_id, name, role, department, created_by, created_at, expires_at, revoked_at, last_used_at`;

/**
 * Makes a token for a department's system, or for a dashboard.
 *
 * @returns with the token itself, told this once
 * @throws ACCOUNT_INPUT
 */
export async function createToken(
  { db }: Queryable,
  fields: NewTokenFields,
  by: Administrator,
  { departments }: Pick<AccountSurroundings, 'departments'>,
): Promise<{ token: string; row: ServiceToken }> {
  const { name, role, department, days } = fields;
  if ((role === 'department') !== (department !== null))
    throw new PopshareError(
      'ACCOUNT_INPUT',
      'a token of role department names one, a token of role dashboard none',
    );
  if (department !== null && !departments.includes(department))
    throw new PopshareError('ACCOUNT_INPUT', `popshare.yaml has no department ${department}`);
  const token = `${PREFIX}${newSecret()}`;
  const row = await db.transaction().execute(async (tx) => {
    const { rows } = await sql<ServiceToken>`
      INSERT INTO access.service_token (token_hash, name, role, department, created_by, expires_at)
      VALUES (${hashOf(token)}, ${name}, ${role}, ${department}, ${by.name}, now() + make_interval(days => ${days}::integer))
      RETURNING ${COLUMNS}`.execute(tx);
    const [created] = rows;
    if (created === undefined) throw new Error('the token was not kept');
    await tell(tx, by, created, 'created');
    return created;
  });
  return { token, row };
}

/** Tokens, the latest first; `after` is the number that the page before ended with. */
export async function listTokens(
  db: Kysely<DB>,
  { after, limit }: { readonly after?: number | undefined; readonly limit: number },
): Promise<{ items: ServiceToken[]; next: string | null }> {
  const { rows } = await sql<ServiceToken>`
    SELECT ${COLUMNS} FROM access.service_token
    WHERE token_id < ${after ?? Number.MAX_SAFE_INTEGER} ORDER BY token_id DESC LIMIT ${limit + 1}`.execute(
    db,
  );
  const items = rows.slice(0, limit);
  return { items, next: rows.length > limit ? String(items.at(-1)?.token_id) : null };
}

/**
 * Lets nobody in with a token any more.
 *
 * @throws TOKEN_UNKNOWN when there is none, or it is revoked already
 */
export async function revokeToken(
  { db }: Queryable,
  tokenId: number,
  by: Administrator,
): Promise<ServiceToken> {
  return db.transaction().execute(async (tx) => {
    const { rows } = await sql<ServiceToken>`
      UPDATE access.service_token SET revoked_at = now() WHERE token_id = ${tokenId} AND revoked_at IS NULL
      RETURNING ${COLUMNS}`.execute(tx);
    const [revoked] = rows;
    if (revoked === undefined)
      throw new PopshareError('TOKEN_UNKNOWN', `there is no token ${tokenId} to revoke`);
    await tell(tx, by, revoked, 'revoked');
    return revoked;
  });
}

/** Tells that a token is used; written at most once a minute. */
export async function keepToken(db: Kysely<DB>, token: string): Promise<void> {
  await sql`
    UPDATE access.service_token SET last_used_at = now()
    WHERE token_hash = ${hashOf(token)} AND (last_used_at IS NULL OR last_used_at < now() - interval '1 minute')`.execute(
    db,
  );
}

async function tell(db: Kysely<DB>, by: Administrator, token: ServiceToken, change: string): Promise<void> {
  const { token_id, name, role, department, expires_at } = token;
  await recordAct(db, {
    actor: by.name,
    action: 'token',
    subject: `token ${token_id}`,
    detail: { change, name, role, department, expires_at },
  });
}
