import { type Kysely, sql } from 'kysely';
import type { DB } from '../../schema/database.ts';
import { PopshareError } from '../../schema/errors.ts';
import { recordAct } from '../../schema/warehouse/audit.ts';
import type { Queryable } from '../../schema/warehouse/connect.ts';
import { setPassword } from './credentials.ts';
import { requireGoodPassword } from './password-rules.ts';
import { hashPassword } from './passwords.ts';
import { hashOf, newSecret } from './secrets.ts';
import type { Origin, SessionLimits } from './sessions.ts';
import { enter } from './sign-in.ts';

/** A link is good for so long, and until the next start. */
const HOURS = 24;

/** Whether nobody can sign in yet, because there is no account. */
export async function needsSetUp(db: Kysely<DB>): Promise<boolean> {
  const { rows } = await sql`SELECT 1 AS found FROM access.account LIMIT 1`.execute(db);
  return rows.length === 0;
}

/**
 * The secret of a link by which the first administrator makes an account; links of earlier starts are void.
 *
 * @returns null when there is an account
 */
export async function newSetUpSecret({ db }: Queryable): Promise<string | null> {
  return db.transaction().execute(async (tx) => {
    await sql`DELETE FROM access.setup_link WHERE used_at IS NULL`.execute(tx);
    if (!(await needsSetUp(tx))) return null;
    const secret = newSecret();
    await sql`
      INSERT INTO access.setup_link (token_hash, expires_at)
      VALUES (${hashOf(secret)}, now() + make_interval(hours => ${HOURS}))`.execute(tx);
    return secret;
  });
}

/** The first administrator. */
export interface FirstAdministrator {
  /** Of the link. */
  readonly secret: string;
  readonly name: string;
  readonly display_name: string;
  readonly password: string;
}

/**
 * Makes the account of the first administrator, and signs them in.
 *
 * @returns the token of the session
 * @throws SET_UP when the link is not good, or not any more; PASSWORD_WEAK
 */
export async function setUp(
  { db }: Queryable,
  { secret, name, display_name, password }: FirstAdministrator,
  { origin, session, at }: { readonly origin: Origin; readonly session: SessionLimits; readonly at: Date },
): Promise<string> {
  if (!(await isGood(db, secret))) throw refused();
  await requireGoodPassword(password, { name, display_name });
  const hash = await hashPassword(password);
  return db.transaction().execute(async (tx) => {
    // Of two who come at the same moment, one finds the link used.
    const { rows: used } = await sql`
      UPDATE access.setup_link SET used_at = now()
      WHERE token_hash = ${hashOf(secret)} AND used_at IS NULL AND expires_at > now() RETURNING 1 AS good`.execute(
      tx,
    );
    if (used.length === 0 || !(await needsSetUp(tx))) throw refused();
    const { rows } = await sql<{ account_id: number }>`
      INSERT INTO access.account (name, display_name, role) VALUES (${name}, ${display_name}, 'administrator')
      RETURNING account_id`.execute(tx);
    const account_id = rows[0]?.account_id ?? 0;
    await setPassword(tx, account_id, { hash, mustChange: false, at });
    const after = { name, display_name, role: 'administrator' };
    const detail = { change: 'first administrator', before: null, after, address: origin.address };
    await recordAct(tx, { actor: name, action: 'account', subject: `account ${account_id}`, detail });
    return enter(tx, { account_id, name }, 'password', { origin, session, previousToken: undefined });
  });
}

/** Guessed secrets cost one statement, not a hash. */
async function isGood(db: Kysely<DB>, secret: string): Promise<boolean> {
  const { rows } = await sql`
    SELECT 1 AS good FROM access.setup_link
    WHERE token_hash = ${hashOf(secret)} AND used_at IS NULL AND expires_at > now()`.execute(db);
  return rows.length > 0;
}

function refused(): PopshareError {
  return new PopshareError(
    'SET_UP',
    'the link is not good, or has been used, or there is an account already',
  );
}
