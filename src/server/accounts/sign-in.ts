import { type Kysely, sql, type Transaction } from 'kysely';
import type { AccountSettings } from '../../schema/configuration/accounts.ts';
import type { DB } from '../../schema/database.ts';
import { PopshareError } from '../../schema/errors.ts';
import { recordAct } from '../../schema/warehouse/audit.ts';
import type { Queryable } from '../../schema/warehouse/connect.ts';
import { confirmAuthenticator, type NewAuthenticator, offerAuthenticator, useCode } from './authenticator.ts';
import {
  type AccountSecrets,
  failed,
  type NewPassword,
  type ProvenPassword,
  provePassword,
  setPassword,
} from './credentials.ts';
import { requireGoodPassword } from './password-rules.ts';
import { hashPassword, verifyPassword } from './passwords.ts';
import type { SealingKey } from './sealed.ts';
import { endSession, type Origin, openSession, type SessionLimits, type SignInMethod } from './sessions.ts';
import { type Attempt, succeeded, tookBack } from './throttle.ts';

/** A password of an administrator's making is good for so long, and for one sign-in. */
export const ONE_TIME_PASSWORD_DAYS = 7;
const DAY_MILLISECONDS = 86_400_000;

/** What somebody signs in with. */
export interface Credentials {
  readonly name: string;
  readonly password: string;
  /** Of the authenticator, or a recovery code. */
  readonly code?: string | undefined;
  /** Instead of one that must be changed. */
  readonly newPassword?: string | undefined;
}

/** How and under which settings. */
export interface SignInTerms {
  readonly origin: Origin;
  /** The moment. */
  readonly at: Date;
  readonly accounts: AccountSettings;
  readonly session: SessionLimits;
  /** Under which the secrets of authenticators are kept. */
  readonly sealing: SealingKey;
  /** Of the session that the browser has; it ends. */
  readonly previousToken: string | undefined;
}

export interface SignedIn {
  /** For the cookie. */
  readonly token: string;
  /** Of an authenticator that was confirmed by this sign-in; told this once. */
  readonly recoveryCodes: readonly string[] | null;
}

/**
 * Signs somebody in, in one step: what is lacking (a code, a new password) is said, and sent with the next try. So
 * there is no session that is good for a part of the way.
 *
 * @throws SIGN_IN_FAILED, SIGN_IN_LOCKED, SIGN_IN_BUSY; CODE_REQUIRED, CODE_SETUP_REQUIRED, PASSWORD_EXPIRED;
 *   PASSWORD_WEAK; SECRET_KEY
 */
export async function signIn(
  { db }: Queryable,
  credentials: Credentials,
  terms: SignInTerms,
): Promise<SignedIn> {
  const { at } = terms;
  const attempt = attemptOf(credentials.name, terms.origin);
  const proven = await provePassword(db, attempt, credentials.password, at);
  const { account } = proven;
  if (isStale(account, at)) throw await failed(db, attempt, account, 'one-time password too old');
  const newHash = await orTakeBack(db, attempt, () => newHashOf(proven, credentials, terms));
  const method = account.has_authenticator || codeRequired(account, terms) ? 'password and code' : 'password';
  // What fails here for the house's fault, such as a key that is missing, is not theirs who sign in.
  const result = await orTakeBack(db, attempt, () =>
    db.transaction().execute(async (tx): Promise<SignedIn | 'wrong code' | 'changed'> => {
      // Somebody may have disabled or reset the account while the hash was computed.
      if (!(await isUnchanged(tx, account))) return 'changed';
      const recoveryCodes = await passCode(tx, account, credentials.code, terms);
      if (recoveryCodes === 'wrong code') return recoveryCodes;
      if (newHash !== null) await setPassword(tx, account.account_id, newHash);
      await succeeded(tx, attempt);
      const token = await enter(tx, account, method, terms);
      return { token, recoveryCodes };
    }),
  );
  if (result === 'changed') throw await failed(db, attempt, account, 'account was changed meanwhile');
  if (result === 'wrong code') throw await failed(db, attempt, account, 'wrong code');
  return result;
}

/** Opens the session of somebody who has proven who they are; the session that the browser had ends. */
export async function enter(
  tx: Transaction<DB>,
  account: { readonly account_id: number; readonly name: string },
  method: SignInMethod,
  { origin, session, previousToken }: Pick<SignInTerms, 'origin' | 'session' | 'previousToken'>,
): Promise<string> {
  if (previousToken !== undefined) await endSession(tx, previousToken);
  const token = await openSession(tx, account.account_id, session, { method, origin });
  await recordAct(tx, {
    actor: account.name,
    action: 'sign_in',
    subject: `account ${account.account_id}`,
    detail: { address: origin.address, method },
  });
  return token;
}

/**
 * Shows an authenticator to somebody who must have one to sign in and has none yet.
 *
 * @throws SIGN_IN_FAILED, SIGN_IN_LOCKED, SIGN_IN_BUSY; FORBIDDEN when there is one, or none is asked for
 */
export async function offerFirstAuthenticator(
  { db }: Queryable,
  credentials: Pick<Credentials, 'name' | 'password'>,
  terms: Pick<SignInTerms, 'origin' | 'at' | 'accounts' | 'sealing'>,
): Promise<NewAuthenticator> {
  const attempt = attemptOf(credentials.name, terms.origin);
  const { account } = await provePassword(db, attempt, credentials.password, terms.at);
  if (isStale(account, terms.at)) throw await failed(db, attempt, account, 'one-time password too old');
  await tookBack(db, attempt);
  if (account.has_authenticator || !codeRequired(account, terms))
    throw new PopshareError('FORBIDDEN', 'an authenticator is changed by whoever is signed in');
  return offerAuthenticator(db, account, terms.sealing);
}

/** Names are compared in small letters, however they are typed. */
export function attemptOf(name: string, { address }: Origin): Attempt {
  return { name: name.normalize('NFKC').toLowerCase(), address };
}

function codeRequired({ role }: AccountSecrets, { accounts }: Pick<SignInTerms, 'accounts'>): boolean {
  return accounts.code_required.includes(role);
}

function isStale({ must_change, password_set_at }: AccountSecrets, at: Date): boolean {
  return must_change && ageInDays(password_set_at, at) > ONE_TIME_PASSWORD_DAYS;
}

function ageInDays(since: Date | null, at: Date): number {
  return since === null ? 0 : (at.getTime() - since.getTime()) / DAY_MILLISECONDS;
}

/**
 * Says what is lacking, and hashes what is to be kept: a new password, or the old one with today's parameters.
 *
 * @throws CODE_REQUIRED, CODE_SETUP_REQUIRED, PASSWORD_EXPIRED, PASSWORD_WEAK
 */
async function newHashOf(
  { account, isOutdated }: ProvenPassword,
  { password, code, newPassword }: Credentials,
  terms: SignInTerms,
): Promise<NewPassword | null> {
  if (code === undefined && account.has_authenticator)
    throw new PopshareError('CODE_REQUIRED', 'this account has an authenticator');
  if (code === undefined && codeRequired(account, terms))
    throw new PopshareError('CODE_SETUP_REQUIRED', `a ${account.role} signs in with an authenticator`);
  const { password_days } = terms.accounts;
  const isExpired =
    password_days !== undefined && ageInDays(account.password_set_at, terms.at) > password_days;
  if (!account.must_change && !isExpired) {
    if (!isOutdated) return null;
    return { hash: await hashPassword(password), mustChange: false, at: account.password_set_at ?? terms.at };
  }
  if (newPassword === undefined)
    throw new PopshareError('PASSWORD_EXPIRED', 'the password was good for this once: choose your own');
  return { hash: await hashOfNew(account, newPassword), mustChange: false, at: terms.at };
}

/**
 * The hash of a password that somebody chose.
 *
 * @throws PASSWORD_WEAK, also when it is the old one
 */
export async function hashOfNew(account: AccountSecrets, newPassword: string): Promise<string> {
  await requireGoodPassword(newPassword, account);
  if ((await verifyPassword(account.password_hash, newPassword)).matches)
    throw new PopshareError('PASSWORD_WEAK', 'the new password is the old one');
  return hashPassword(newPassword);
}

/** What is not complete yet is no failure. */
async function orTakeBack<Result>(
  db: Kysely<DB>,
  attempt: Attempt,
  work: () => Promise<Result>,
): Promise<Result> {
  try {
    return await work();
  } catch (error) {
    await tookBack(db, attempt);
    throw error;
  }
}

async function isUnchanged(tx: Transaction<DB>, account: AccountSecrets): Promise<boolean> {
  const { rows } = await sql`
    SELECT 1 AS same FROM access.account
    WHERE account_id = ${account.account_id} AND password_hash = ${account.password_hash} AND disabled_at IS NULL
    FOR UPDATE`.execute(tx);
  return rows.length > 0;
}

/** @returns recovery codes when the code made an authenticator the account's own */
async function passCode(
  tx: Transaction<DB>,
  account: AccountSecrets,
  code: string | undefined,
  terms: SignInTerms,
): Promise<string[] | null | 'wrong code'> {
  const { account_id } = account;
  const given = code === undefined ? null : { code, at: terms.at, sealing: terms.sealing };
  if (account.has_authenticator)
    return given !== null && (await useCode(tx, account_id, given)) ? null : 'wrong code';
  if (given === null || !codeRequired(account, terms)) return null;
  return (await confirmAuthenticator(tx, account_id, given)) ?? 'wrong code';
}
