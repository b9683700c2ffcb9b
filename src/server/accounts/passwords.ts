import { argon2, randomBytes, timingSafeEqual } from 'node:crypto';
import { promisify } from 'node:util';
import { PopshareError } from '../../schema/errors.ts';

/** OWASP, Password Storage Cheat Sheet, asks for at least 19 MiB, two passes, one lane. `memory` is in KiB. */
const PARAMETERS = { memory: 32_768, passes: 2, parallelism: 1 } as const;
const SALT_BYTES = 16;
const HASH_BYTES = 32;
/** Hashes computed at the same time: of Node's four threads for such work, two stay free. */
const AT_ONCE = 2;
/** How many may wait for their turn: about five seconds. */
const MOST_WAITING = 50;

interface Parameters {
  readonly memory: number;
  readonly passes: number;
  readonly parallelism: number;
}

export interface PasswordVerdict {
  readonly matches: boolean;
  /** The hash was made with parameters of an older version. */
  readonly isOutdated: boolean;
}

const derive = promisify(argon2);
let running = 0;
const waiting: (() => void)[] = [];

/**
 * What is kept of a password: argon2id (RFC 9106), with its parameters in the PHC string format.
 *
 * @throws SIGN_IN_BUSY
 */
export async function hashPassword(password: string): Promise<string> {
  const salt = randomBytes(SALT_BYTES);
  return phcOf(PARAMETERS, salt, await tagOf(password, salt, PARAMETERS));
}

/**
 * Whether a password is the one of the hash. Without a hash, it takes as long and is not.
 *
 * @throws SIGN_IN_BUSY
 */
export async function verifyPassword(phc: string | null, password: string): Promise<PasswordVerdict> {
  const known = parsePhc(phc ?? NOBODY);
  const tag = await tagOf(password, known.salt, known.parameters);
  return {
    matches: phc !== null && tag.length === known.tag.length && timingSafeEqual(tag, known.tag),
    isOutdated: phcPrefix(known.parameters) !== phcPrefix(PARAMETERS),
  };
}

/** The hash of a password that nobody has. */
const NOBODY = phcOf(PARAMETERS, randomBytes(SALT_BYTES), randomBytes(HASH_BYTES));

async function tagOf(password: string, salt: Buffer, parameters: Parameters): Promise<Buffer> {
  await turn();
  try {
    // The same characters may be typed as different code points (NIST SP 800-63B, 3.1.1.2).
    return await derive('argon2id', {
      message: password.normalize('NFKC'),
      nonce: salt,
      tagLength: HASH_BYTES,
      ...parameters,
    });
  } finally {
    const next = waiting.shift();
    if (next === undefined) running -= 1;
    else next();
  }
}

/** Whoever is let in by somebody who is done takes over that place. */
async function turn(): Promise<void> {
  if (running < AT_ONCE) {
    running += 1;
    return;
  }
  if (waiting.length >= MOST_WAITING)
    throw new PopshareError('SIGN_IN_BUSY', `${MOST_WAITING} sign-ins are waiting`);
  await new Promise<void>((resolve) => waiting.push(resolve));
}

function phcPrefix({ memory, passes, parallelism }: Parameters): string {
  return `$argon2id$v=19$m=${memory},t=${passes},p=${parallelism}`;
}

function phcOf(parameters: Parameters, salt: Buffer, tag: Buffer): string {
  const text = (bytes: Buffer): string => bytes.toString('base64').replace(/=+$/, '');
  return `${phcPrefix(parameters)}$${text(salt)}$${text(tag)}`;
}

function parsePhc(phc: string): { parameters: Parameters; salt: Buffer; tag: Buffer } {
  const parts = /^\$argon2id\$v=19\$m=(\d+),t=(\d+),p=(\d+)\$([\w+/]+)\$([\w+/]+)$/.exec(phc);
  if (parts === null) throw new Error('a password hash of the warehouse is not argon2id');
  const [, memory, passes, parallelism, salt = '', tag = ''] = parts;
  return {
    parameters: { memory: Number(memory), passes: Number(passes), parallelism: Number(parallelism) },
    salt: Buffer.from(salt, 'base64'),
    tag: Buffer.from(tag, 'base64'),
  };
}
