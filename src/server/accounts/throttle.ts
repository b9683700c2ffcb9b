import { isIPv6 } from 'node:net';
import { type Kysely, sql } from 'kysely';
import type { DB } from '../../schema/database.ts';
import { hashOf } from './secrets.ts';

/** After every five failures with a name, it waits: 15 minutes, 30, 60 … up to a day. */
const NAME = { failures: 5, minutes: 15, most_minutes: 24 * 60 } as const;
/** From one address, behind which there may be a whole office. */
const ADDRESS = { failures: 30, minutes: 15 } as const;
/** Failures are forgotten after so many hours without another. */
const FORGOTTEN_HOURS = 48;

/** Somebody tries to prove who they are. */
export interface Attempt {
  readonly name: string;
  readonly address: string;
}

/** Why an attempt may not be made now. */
export interface Locked {
  readonly by: 'name' | 'address';
  readonly until: Date;
  /** Nobody was told of this lock before. */
  readonly isNew: boolean;
}

/**
 * Counts an attempt as failed, before it is looked at: of many at the same time, no more than the limit get through.
 * Whoever proves right takes it back by {@link succeeded}. Names are counted whether or not there is such an account.
 *
 * @param at the moment of the attempt
 * @returns null when it may be made
 */
export async function begin(db: Kysely<DB>, attempt: Attempt, at: Date): Promise<Locked | null> {
  await sql`
    DELETE FROM access.sign_in_failure WHERE last_at < ${at}::timestamptz - make_interval(hours => ${FORGOTTEN_HOURS})`.execute(
    db,
  );
  return (await countAddress(db, attempt, at)) ?? (await countName(db, attempt, at));
}

async function countAddress(db: Kysely<DB>, attempt: Attempt, at: Date): Promise<Locked | null> {
  const window = sql`make_interval(mins => ${ADDRESS.minutes})`;
  const subject = subjectOfAddress(attempt);
  const counted = await sql`
    INSERT INTO access.sign_in_failure AS f (subject_hash, failures, first_at, last_at) VALUES (${subject}, 1, ${at}, ${at})
    ON CONFLICT (subject_hash) DO UPDATE
    SET failures = CASE WHEN f.first_at <= ${at}::timestamptz - ${window} THEN 1 ELSE f.failures + 1 END,
        first_at = CASE WHEN f.first_at <= ${at}::timestamptz - ${window} THEN ${at}::timestamptz ELSE f.first_at END,
        last_at = ${at}
    WHERE f.failures < ${ADDRESS.failures} OR f.first_at <= ${at}::timestamptz - ${window}
    RETURNING 1 AS counted`.execute(db);
  if (counted.rows.length > 0) return null;
  const { rows } = await sql<{ until: Date; is_new: boolean }>`
    WITH known AS (
      SELECT subject_hash, first_at + ${window} AS until, locked_until IS DISTINCT FROM first_at + ${window} AS is_new
      FROM access.sign_in_failure WHERE subject_hash = ${subject} FOR UPDATE)
    UPDATE access.sign_in_failure f SET locked_until = known.until FROM known WHERE f.subject_hash = known.subject_hash
    RETURNING known.until, known.is_new`.execute(db);
  return lockedBy('address', rows[0], at);
}

async function countName(db: Kysely<DB>, attempt: Attempt, at: Date): Promise<Locked | null> {
  const subject = subjectOfName(attempt.name);
  // Of the fifth, tenth … failure.
  const lock = sql`${at}::timestamptz + make_interval(
    mins => least(${NAME.minutes} * 2 ^ ((f.failures + 1) / ${NAME.failures}::integer - 1), ${NAME.most_minutes})::integer)`;
  const counted = await sql`
    INSERT INTO access.sign_in_failure AS f (subject_hash, failures, first_at, last_at) VALUES (${subject}, 1, ${at}, ${at})
    ON CONFLICT (subject_hash) DO UPDATE
    SET failures = f.failures + 1, last_at = ${at},
        locked_until = CASE WHEN (f.failures + 1) % ${NAME.failures} = 0 THEN ${lock} END
    WHERE f.locked_until IS NULL OR f.locked_until <= ${at}
    RETURNING 1 AS counted`.execute(db);
  if (counted.rows.length > 0) return null;
  const { rows } = await sql<{ until: Date; is_new: boolean }>`
    SELECT locked_until AS until, true AS is_new FROM access.sign_in_failure WHERE subject_hash = ${subject}`.execute(
    db,
  );
  return lockedBy('name', rows[0], at);
}

/** Somebody else's success may have ended the lock meanwhile: then it is over now. */
function lockedBy(
  by: Locked['by'],
  row: { until: Date | null; is_new: boolean } | undefined,
  at: Date,
): Locked {
  return { by, until: row?.until ?? at, isNew: row?.is_new ?? false };
}

/** Forgets the failures with a name: whoever it is has proven it. */
export async function succeeded(db: Kysely<DB>, attempt: Attempt): Promise<void> {
  await unlock(db, attempt.name);
  await giveBack(db, subjectOfAddress(attempt));
}

/** Takes back one attempt that was right so far, and was not complete: a code is lacking, or a new password. */
export async function tookBack(db: Kysely<DB>, attempt: Attempt): Promise<void> {
  await sql`
    UPDATE access.sign_in_failure
    SET failures = failures - 1, locked_until = CASE WHEN failures % ${NAME.failures} <> 0 THEN locked_until END
    WHERE subject_hash = ${subjectOfName(attempt.name)} AND failures > 0`.execute(db);
  await giveBack(db, subjectOfAddress(attempt));
}

/** Forgets the failures with a name. */
export async function unlock(db: Kysely<DB>, name: string): Promise<void> {
  await sql`DELETE FROM access.sign_in_failure WHERE subject_hash = ${subjectOfName(name)}`.execute(db);
}

async function giveBack(db: Kysely<DB>, subject: Buffer): Promise<void> {
  await sql`
    UPDATE access.sign_in_failure SET failures = failures - 1 WHERE subject_hash = ${subject} AND failures > 0`.execute(
    db,
  );
}

/** Under which a name's failures are kept. */
export function subjectOfName(name: string): Buffer {
  return hashOf(`name ${name}`);
}

function subjectOfAddress({ address }: Attempt): Buffer {
  return hashOf(`address ${networkOf(address)}`);
}

/** Of IPv6 the first 64 bits: whoever has one address has all of these (RFC 6177). */
export function networkOf(address: string): string {
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)?.[1];
  if (mapped !== undefined) return mapped;
  if (!isIPv6(address)) return address;
  const [front = '', back] = address.replace(/%.*$/, '').toLowerCase().split('::');
  const left = front === '' ? [] : front.split(':');
  const right = back === undefined || back === '' ? [] : back.split(':');
  const groups = [...left, ...Array<string>(Math.max(0, 8 - left.length - right.length)).fill('0'), ...right];
  return groups
    .slice(0, 4)
    .map((group) => Number.parseInt(group, 16).toString(16))
    .join(':');
}
