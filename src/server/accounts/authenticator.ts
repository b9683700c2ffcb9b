import { randomBytes } from 'node:crypto';
import { type Kysely, sql } from 'kysely';
import { Secret, TOTP } from 'otpauth';
import type { DB } from '../../schema/database.ts';
import { type SealingKey, seal, unseal } from './sealed.ts';
import { hashOf } from './secrets.ts';

const ISSUER = 'popshare';
const PERIOD_SECONDS = 30;
/** Steps before and after the current one: clocks differ, and typing takes time (RFC 6238, 5.2). */
const WINDOW = 1;
const RECOVERY_CODES = 10;

/** What an authenticator app is set up with. */
export interface NewAuthenticator {
  /** Base 32, to type. */
  readonly secret: string;
  /** The same as an address of the kind that apps read from a QR code. */
  readonly uri: string;
}

/** A new secret for the authenticator app of an account (RFC 6238: SHA-1, 30 seconds, 6 digits, what all apps know). */
export function newAuthenticator(name: string): NewAuthenticator {
  const secret = new Secret({ size: 20 });
  const totp = new TOTP({ issuer: ISSUER, label: name, secret, period: PERIOD_SECONDS });
  return { secret: secret.base32, uri: totp.toString() };
}

/**
 * The time step of a code; null when it is wrong, or not newer than the last one that was used: a code is good once.
 *
 * @param lastStep of the code before; null: there was none
 */
export function stepOf(secret: string, code: string, at: Date, lastStep: number | null): number | null {
  const totp = new TOTP({ secret: Secret.fromBase32(secret), period: PERIOD_SECONDS });
  const timestamp = at.getTime();
  const delta = totp.validate({ token: code, timestamp, window: WINDOW });
  if (delta === null) return null;
  const step = totp.counter({ timestamp }) + delta;
  return lastStep !== null && step <= lastStep ? null : step;
}

/** A code that somebody gives. */
export interface GivenCode {
  readonly code: string;
  readonly at: Date;
  /** Under which the secret is kept. */
  readonly sealing: SealingKey;
}

/**
 * Uses a code of an account's authenticator, or one of its recovery codes, up.
 *
 * @returns whether it was right
 * @throws SECRET_KEY
 */
export async function useCode(db: Kysely<DB>, accountId: number, given: GivenCode): Promise<boolean> {
  const { at, sealing } = given;
  const code = given.code.replaceAll(/[\s-]/g, '').toUpperCase();
  if (!/^\d{6}$/.test(code)) return useRecoveryCode(db, accountId, code, at);
  const { rows } = await sql<{ totp_secret: string | null; totp_last_step: number | null }>`
    SELECT totp_secret, totp_last_step FROM access.account WHERE account_id = ${accountId} FOR UPDATE`.execute(
    db,
  );
  const { totp_secret, totp_last_step } = rows[0] ?? { totp_secret: null, totp_last_step: null };
  if (totp_secret === null) return false;
  const secret = unseal(sealing, accountId, totp_secret);
  const step = stepOf(secret, code, at, totp_last_step);
  if (step === null) return false;
  // Sealed anew: one that was kept without a key is from now on kept under it.
  await sql`
    UPDATE access.account SET totp_last_step = ${step}, totp_secret = ${seal(sealing, accountId, secret)}
    WHERE account_id = ${accountId}`.execute(db);
  return true;
}

async function useRecoveryCode(db: Kysely<DB>, accountId: number, code: string, at: Date): Promise<boolean> {
  const { rows } = await sql`
    UPDATE access.recovery_code SET used_at = ${at}
    WHERE account_id = ${accountId} AND code_hash = ${hashOf(code)} AND used_at IS NULL
    RETURNING 1 AS used`.execute(db);
  return rows.length > 0;
}

/**
 * Makes the authenticator that was last shown to an account its own, if the code is from it.
 *
 * @returns recovery codes, told this once; null when the code is wrong
 * @throws SECRET_KEY
 */
export async function confirmAuthenticator(
  db: Kysely<DB>,
  accountId: number,
  { code, at, sealing }: GivenCode,
): Promise<string[] | null> {
  const { rows } = await sql<{ totp_pending: string | null }>`
    SELECT totp_pending FROM access.account WHERE account_id = ${accountId} FOR UPDATE`.execute(db);
  const pending = rows[0]?.totp_pending ?? null;
  if (pending === null) return null;
  const step = stepOf(unseal(sealing, accountId, pending), code.replaceAll(/\s/g, ''), at, null);
  if (step === null) return null;
  await sql`
    UPDATE access.account SET totp_secret = totp_pending, totp_pending = NULL, totp_last_step = ${step}
    WHERE account_id = ${accountId}`.execute(db);
  return newRecoveryCodes(db, accountId);
}

/** Shows an account a new authenticator; the one it has stays until a code confirms the new one. */
export async function offerAuthenticator(
  db: Kysely<DB>,
  { account_id, name }: { readonly account_id: number; readonly name: string },
  sealing: SealingKey,
): Promise<NewAuthenticator> {
  const offered = newAuthenticator(name);
  const kept = seal(sealing, account_id, offered.secret);
  await sql`UPDATE access.account SET totp_pending = ${kept} WHERE account_id = ${account_id}`.execute(db);
  return offered;
}

/** Takes the authenticator and the recovery codes away. */
export async function removeAuthenticator(db: Kysely<DB>, accountId: number): Promise<void> {
  await sql`
    UPDATE access.account SET totp_secret = NULL, totp_pending = NULL, totp_last_step = NULL
    WHERE account_id = ${accountId}`.execute(db);
  await sql`DELETE FROM access.recovery_code WHERE account_id = ${accountId}`.execute(db);
}

/** For the day when the authenticator is lost: each is good once, and the old ones are no more. */
async function newRecoveryCodes(db: Kysely<DB>, accountId: number): Promise<string[]> {
  const codes = Array.from({ length: RECOVERY_CODES }, () => readableSecret(16));
  await sql`DELETE FROM access.recovery_code WHERE account_id = ${accountId}`.execute(db);
  await sql`
    INSERT INTO access.recovery_code (account_id, code_hash)
    SELECT ${accountId}, sha256(convert_to(replace(code, '-', ''), 'UTF8')) FROM unnest(${codes}::text[]) AS code`.execute(
    db,
  );
  return codes;
}

const LETTERS = 'ABCDEFGHJKLMNPQRSTUVWXYZ23456789';

/** A random secret that people can type: five bits a character, none of them looks like another, in fours. */
export function readableSecret(characters: number): string {
  const text = [...randomBytes(characters)].map((byte) => LETTERS[byte % LETTERS.length]).join('');
  return text.replaceAll(/(.{4})(?=.)/g, '$1-');
}
