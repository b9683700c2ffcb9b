import { type Kysely, sql } from 'kysely';
import type { DB } from '../../schema/database.ts';
import { PopshareError } from '../../schema/errors.ts';
import { recordAct } from '../../schema/warehouse/audit.ts';
import { verifyPassword } from './passwords.ts';
import type { Role } from './roles.ts';
import { type Attempt, begin, type Locked } from './throttle.ts';

/** What proves who the owner of an account is. Never leaves the server. */
export interface AccountSecrets {
  readonly account_id: number;
  readonly name: string;
  readonly display_name: string;
  readonly email: string | null;
  readonly role: Role;
  readonly password_hash: string | null;
  readonly password_set_at: Date | null;
  readonly must_change: boolean;
  readonly has_authenticator: boolean;
  readonly disabled_at: Date | null;
}

/** Who acts in the log when there is no account: no account can be called this. */
export const SOMEBODY = '(somebody)';

/** A refusal that says when to come again, in seconds, for Retry-After. */
export class LockedError extends PopshareError {
  readonly retryAfter: number;

  constructor({ by, until }: Locked, at: Date) {
    super(
      'SIGN_IN_LOCKED',
      `too many failed sign-ins ${by === 'name' ? 'with this name' : 'from this address'}`,
    );
    this.retryAfter = Math.max(1, Math.ceil((until.getTime() - at.getTime()) / 1000));
  }
}

/** A password that was right, and the account that it is of. */
export interface ProvenPassword {
  readonly account: AccountSecrets;
  /** Its hash was made with parameters of an older version. */
  readonly isOutdated: boolean;
}

/**
 * Looks whether a password is an account's, and remembers in the log when it is not. An unknown name, a wrong password
 * and a disabled account take as long and get the same answer.
 *
 * @throws SIGN_IN_FAILED, SIGN_IN_LOCKED, SIGN_IN_BUSY
 */
export async function provePassword(
  db: Kysely<DB>,
  attempt: Attempt,
  password: string,
  at: Date,
): Promise<ProvenPassword> {
  const account = await secretsOf(db, attempt.name);
  const locked = await begin(db, attempt, at);
  if (locked !== null) {
    if (locked.isNew) await tellFailure(db, attempt, account, { action: 'sign_in_locked', why: locked.by });
    throw new LockedError(locked, at);
  }
  const verdict = await verifyPassword(account?.password_hash ?? null, password);
  if (account === null) throw await failed(db, attempt, null, 'unknown name');
  if (!verdict.matches) throw await failed(db, attempt, account, 'wrong password');
  if (account.disabled_at !== null) throw await failed(db, attempt, account, 'disabled');
  return { account, isOutdated: verdict.isOutdated };
}

/** Remembers a failed sign-in; the reason is for the log alone. */
export async function failed(
  db: Kysely<DB>,
  attempt: Attempt,
  account: AccountSecrets | null,
  why: string,
): Promise<PopshareError> {
  await tellFailure(db, attempt, account, { action: 'sign_in_failed', why });
  return new PopshareError('SIGN_IN_FAILED', 'name, password or code is not right');
}

/** A name that no account has is not kept: it may be a password in the wrong field. */
async function tellFailure(
  db: Kysely<DB>,
  { address }: Attempt,
  account: AccountSecrets | null,
  { action, why }: { action: 'sign_in_failed' | 'sign_in_locked'; why: string },
): Promise<void> {
  await recordAct(db, {
    actor: account?.name ?? SOMEBODY,
    action,
    ...(account !== null && { subject: `account ${account.account_id}` }),
    detail: { address, why },
  });
}

async function secretsOf(db: Kysely<DB>, name: string): Promise<AccountSecrets | null> {
  const { rows } = await sql<AccountSecrets>`
    SELECT account_id, name, display_name, email, role, password_hash, password_set_at, must_change,
           totp_secret IS NOT NULL AS has_authenticator, disabled_at
    FROM access.account WHERE name = ${name}`.execute(db);
  return rows[0] ?? null;
}

/** A password to be kept; it has been let through the rules. */
export interface NewPassword {
  readonly hash: string;
  /** It is good for one sign-in, at which the owner chooses another. */
  readonly mustChange: boolean;
  /** Since when it is the password. */
  readonly at: Date;
}

/** Sets the password of an account. */
export async function setPassword(
  db: Kysely<DB>,
  accountId: number,
  { hash, mustChange, at }: NewPassword,
): Promise<void> {
  await sql`
    UPDATE access.account SET password_hash = ${hash}, password_set_at = ${at}, must_change = ${mustChange}
    WHERE account_id = ${accountId}`.execute(db);
}
