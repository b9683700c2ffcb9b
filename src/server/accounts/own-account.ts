import { type Kysely, sql } from 'kysely';
import type { AccountSettings } from '../../schema/configuration/accounts.ts';
import type { DB } from '../../schema/database.ts';
import { PopshareError } from '../../schema/errors.ts';
import { recordAct } from '../../schema/warehouse/audit.ts';
import type { Queryable } from '../../schema/warehouse/connect.ts';
import type { Principal } from '../access.ts';
import {
  confirmAuthenticator,
  type NewAuthenticator,
  offerAuthenticator,
  removeAuthenticator,
} from './authenticator.ts';
import { type AccountSecrets, provePassword, setPassword } from './credentials.ts';
import type { SealingKey } from './sealed.ts';
import { endSessions, type Origin, openSession, type SessionLimits, type SignInMethod } from './sessions.ts';
import { attemptOf, hashOfNew } from './sign-in.ts';
import { succeeded } from './throttle.ts';

/** Somebody who is signed in works on their own account. */
export interface Owner {
  readonly principal: Principal;
  readonly origin: Origin;
  readonly at: Date;
  /** Under which the secrets of authenticators are kept. */
  readonly sealing: SealingKey;
}

/**
 * Changes the own password. All other sessions end, and this one gets another token.
 *
 * @returns the new token
 * @throws SIGN_IN_FAILED when the old password is wrong; SIGN_IN_LOCKED, SIGN_IN_BUSY, PASSWORD_WEAK
 */
export async function changePassword(
  { db }: Queryable,
  owner: Owner,
  { password, newPassword }: { readonly password: string; readonly newPassword: string },
  session: SessionLimits,
): Promise<string> {
  const account = await proveAgain(db, owner, password);
  const hash = await hashOfNew(account, newPassword);
  return db.transaction().execute(async (tx) => {
    await setPassword(tx, account.account_id, { hash, mustChange: false, at: owner.at });
    const method = await methodOf(tx, owner.principal.token);
    const ended = await endSessions(tx, account.account_id);
    const token = await openSession(tx, account.account_id, session, { method, origin: owner.origin });
    await tell(tx, owner, { change: 'own password', other_sessions_ended: Math.max(0, ended - 1) });
    return token;
  });
}

/**
 * Shows a new authenticator to somebody who proves once more who they are.
 *
 * @throws SIGN_IN_FAILED, SIGN_IN_LOCKED, SIGN_IN_BUSY
 */
export async function beginAuthenticator(
  { db }: Queryable,
  owner: Owner,
  password: string,
): Promise<NewAuthenticator> {
  const account = await proveAgain(db, owner, password);
  return offerAuthenticator(db, account, owner.sealing);
}

/**
 * Makes the authenticator that was shown last the account's own.
 *
 * @returns recovery codes, told this once
 * @throws SIGN_IN_FAILED when the code is not of it
 */
export async function finishAuthenticator({ db }: Queryable, owner: Owner, code: string): Promise<string[]> {
  return db.transaction().execute(async (tx) => {
    const codes = await confirmAuthenticator(tx, owner.principal.id, { ...owner, code });
    if (codes === null)
      throw new PopshareError('SIGN_IN_FAILED', 'the code is not of the authenticator shown');
    await endSessions(tx, owner.principal.id, owner.principal.token);
    await tell(tx, owner, { change: 'authenticator set up' });
    return codes;
  });
}

/**
 * Signs in without an authenticator from now on.
 *
 * @throws SIGN_IN_FAILED, SIGN_IN_LOCKED, SIGN_IN_BUSY; FORBIDDEN when the role must have one
 */
export async function dropAuthenticator(
  { db }: Queryable,
  owner: Owner,
  password: string,
  { code_required }: AccountSettings,
): Promise<void> {
  const account = await proveAgain(db, owner, password);
  if (code_required.includes(account.role))
    throw new PopshareError('FORBIDDEN', `a ${account.role} signs in with an authenticator`);
  await db.transaction().execute(async (tx) => {
    await removeAuthenticator(tx, account.account_id);
    await tell(tx, owner, { change: 'authenticator removed' });
  });
}

/** A session that somebody left open is not enough for this. */
async function proveAgain(
  db: Kysely<DB>,
  { principal, origin, at }: Owner,
  password: string,
): Promise<AccountSecrets> {
  const attempt = attemptOf(principal.name, origin);
  const { account } = await provePassword(db, attempt, password, at);
  await succeeded(db, attempt);
  return account;
}

async function methodOf(db: Kysely<DB>, token: string): Promise<SignInMethod> {
  const { rows } = await sql<{ method: SignInMethod }>`
    SELECT method FROM access.session WHERE token_hash = sha256(convert_to(${token}, 'UTF8'))`.execute(db);
  return rows[0]?.method ?? 'password';
}

async function tell(
  db: Kysely<DB>,
  { principal, origin }: Owner,
  detail: Record<string, unknown>,
): Promise<void> {
  const { name, id } = principal;
  await recordAct(db, {
    actor: name,
    action: 'account',
    subject: `account ${id}`,
    detail: { ...detail, address: origin.address },
  });
}
