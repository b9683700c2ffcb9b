import { createCipheriv, createDecipheriv, createSecretKey, type KeyObject, randomBytes } from 'node:crypto';
import { type Kysely, sql } from 'kysely';
import type { DB } from '../../schema/database.ts';
import { PopshareError } from '../../schema/errors.ts';

/** What secrets that the server must have itself are kept under; null: they stand as they are. */
export type SealingKey = KeyObject | null;

const CIPHER = 'aes-256-gcm';
const [KEY_BYTES, NONCE_BYTES, TAG_BYTES] = [32, 12, 16];
const MARK = 'sealed:';

/**
 * The key that the environment gives (POPSHARE_SECRET_KEY): 32 bytes in base 64.
 *
 * @throws SECRET_KEY when it is something else
 */
export function sealingKey({ secretKey }: { readonly secretKey: string | undefined }): SealingKey {
  if (secretKey === undefined) return null;
  const bytes = Buffer.from(secretKey, 'base64');
  if (bytes.length !== KEY_BYTES)
    throw new PopshareError('SECRET_KEY', `POPSHARE_SECRET_KEY is not ${KEY_BYTES} bytes in base 64`);
  return createSecretKey(bytes);
}

/** A secret of an account as it is kept: AES-256-GCM, good for this account alone. */
export function seal(key: SealingKey, accountId: number, secret: string): string {
  if (key === null) return secret;
  const nonce = randomBytes(NONCE_BYTES);
  const cipher = createCipheriv(CIPHER, key, nonce, { authTagLength: TAG_BYTES }).setAAD(ownerOf(accountId));
  const sealed = [nonce, cipher.update(secret, 'utf8'), cipher.final(), cipher.getAuthTag()];
  return MARK + Buffer.concat(sealed).toString('base64url');
}

/**
 * The secret that was kept; one that was kept without a key is as it stands.
 *
 * @throws SECRET_KEY when it was kept under a key that is not this one
 */
export function unseal(key: SealingKey, accountId: number, kept: string): string {
  if (!kept.startsWith(MARK)) return kept;
  if (key === null) throw new PopshareError('SECRET_KEY', 'POPSHARE_SECRET_KEY is not set');
  const bytes = Buffer.from(kept.slice(MARK.length), 'base64url');
  const [nonce, tag] = [bytes.subarray(0, NONCE_BYTES), bytes.subarray(-TAG_BYTES)];
  try {
    const decipher = createDecipheriv(CIPHER, key, nonce, { authTagLength: TAG_BYTES });
    decipher.setAAD(ownerOf(accountId)).setAuthTag(tag);
    const secret = [decipher.update(bytes.subarray(NONCE_BYTES, -TAG_BYTES)), decipher.final()];
    return Buffer.concat(secret).toString('utf8');
  } catch (error) {
    throw new PopshareError('SECRET_KEY', 'POPSHARE_SECRET_KEY is not the key of what is kept', {
      cause: error,
    });
  }
}

const ownerOf = (accountId: number): Buffer => Buffer.from(`account ${accountId}`);

/**
 * Whether the secrets of all authenticators can be had.
 *
 * @returns how many of them stand as they are, without a key
 * @throws SECRET_KEY
 */
export async function checkSecrets(db: Kysely<DB>, key: SealingKey): Promise<number> {
  const { rows } = await sql<{ account_id: number; totp_secret: string }>`
    SELECT account_id, totp_secret FROM access.account WHERE totp_secret IS NOT NULL`.execute(db);
  for (const { account_id, totp_secret } of rows) unseal(key, account_id, totp_secret);
  return rows.filter(({ totp_secret }) => !totp_secret.startsWith(MARK)).length;
}
