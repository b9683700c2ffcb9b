import { type Kysely, type RawBuilder, sql } from 'kysely';
import type { DB } from '../../schema/database.ts';
import { PopshareError } from '../../schema/errors.ts';
import type { OidcColumns } from './account-input.ts';
import type { Role } from './roles.ts';

/** An account as administrators see it: what is known of it, and nothing that proves who somebody is. */
export interface Account extends OidcColumns {
  readonly account_id: number;
  readonly version: number;
  readonly name: string;
  readonly display_name: string;
  readonly role: Role;
  readonly division: string | null;
  readonly department: string | null;
  readonly email: string | null;
  readonly has_password: boolean;
  readonly must_change: boolean;
  readonly has_authenticator: boolean;
  /** Too many have tried with a wrong password. */
  readonly locked_until: Date | null;
  readonly disabled_at: Date | null;
  readonly created_at: Date;
  /** Sessions that are alive. */
  readonly sessions: number;
}

/** Which accounts, and which page of them. */
export interface AccountQuery {
  readonly role?: Role | undefined;
  readonly disabled?: boolean | undefined;
  /** Part of a name, or of what somebody is called. */
  readonly text?: string | undefined;
  /** The name that the page before ended with. */
  readonly after?: string | undefined;
  readonly limit: number;
}

/** Accounts in the order of their names. */
export async function listAccounts(
  db: Kysely<DB>,
  { role, disabled, text, after, limit }: AccountQuery,
): Promise<{ items: Account[]; next: string | null }> {
  const conditions = [
    sql`a.name > ${after ?? ''}`,
    ...(role === undefined ? [] : [sql`a.role = ${role}`]),
    ...(disabled === undefined ? [] : [sql`(a.disabled_at IS NOT NULL) = ${disabled}`]),
    ...(text === undefined
      ? []
      : [sql`(strpos(a.name, lower(${text})) > 0 OR strpos(lower(a.display_name), lower(${text})) > 0)`]),
  ];
  const rows = await readAccounts(
    db,
    sql`WHERE ${sql.join(conditions, sql` AND `)} ORDER BY a.name LIMIT ${limit + 1}`,
  );
  const items = rows.slice(0, limit);
  return { items, next: rows.length > limit ? (items.at(-1)?.name ?? null) : null };
}

/** @throws ACCOUNT_UNKNOWN */
export async function readAccount(db: Kysely<DB>, accountId: number): Promise<Account> {
  const [account] = await readAccounts(db, sql`WHERE a.account_id = ${accountId}`);
  if (account === undefined) throw new PopshareError('ACCOUNT_UNKNOWN', `there is no account ${accountId}`);
  return account;
}

/** @throws ACCOUNT_UNKNOWN */
export async function findAccount(db: Kysely<DB>, name: string): Promise<Account> {
  const [account] = await readAccounts(db, sql`WHERE a.name = ${name}`);
  if (account === undefined) throw new PopshareError('ACCOUNT_UNKNOWN', `there is no account ${name}`);
  return account;
}

async function readAccounts(db: Kysely<DB>, which: RawBuilder<unknown>): Promise<Account[]> {
  const { rows } = await sql<Account>`
    SELECT a.account_id, a.version, a.name, a.display_name, a.role, a.division, a.department, a.email,
           a.oidc_issuer, a.oidc_subject, a.oidc_email, a.password_hash IS NOT NULL AS has_password, a.must_change,
           a.totp_secret IS NOT NULL AS has_authenticator, f.locked_until, a.disabled_at, a.created_at,
           (SELECT count(*) FROM access.session s WHERE s.account_id = a.account_id AND s.expires_at > now()) AS sessions
    FROM access.account a
    LEFT JOIN access.sign_in_failure f
      ON f.subject_hash = sha256(convert_to('name ' || a.name, 'UTF8')) AND f.locked_until > now()
    ${which}`.execute(db);
  return rows;
}
