import { createHash, randomBytes } from 'node:crypto';

/** A secret that nobody guesses: 256 random bits, as text for a cookie, a header or an address. */
export function newSecret(): string {
  return randomBytes(32).toString('base64url');
}

/** What is kept of a secret. It has so many bits that no slow hash is needed (unlike a password). */
export function hashOf(secret: string): Buffer {
  return createHash('sha256').update(secret).digest();
}
