import { sql, type Transaction } from 'kysely';
import type { DB } from '../../schema/database.ts';
import { PopshareError } from '../../schema/errors.ts';
import { recordAct } from '../../schema/warehouse/audit.ts';
import type { Queryable } from '../../schema/warehouse/connect.ts';
import {
  type AccountChanges,
  type AccountSurroundings,
  type Administrator,
  type NewAccountFields,
  oidcColumns,
  requireScope,
} from './account-input.ts';
import { type Account, readAccount } from './account-list.ts';
import { readableSecret, removeAuthenticator } from './authenticator.ts';
import { setPassword } from './credentials.ts';
import { hashPassword } from './passwords.ts';
import { endSessions } from './sessions.ts';
import { unlock } from './throttle.ts';

/** Characters of a password for one sign-in: 100 bits. */
const ONE_TIME_CHARACTERS = 20;
const UNIQUE_VIOLATION = '23505';

/** An account, and the password that its owner signs in with the first time; told this once. */
export interface NewAccess {
  readonly account: Account;
  /** Null: the owner signs in at the identity provider. */
  readonly oneTimePassword: string | null;
}

/** Which account, and as it was seen. */
export interface Seen {
  readonly accountId: number;
  /** Undefined: however it is now (the command line). */
  readonly version?: number | undefined;
}

/**
 * Makes an account. Its owner signs in with a one-time password, or, linked to the identity provider, there.
 *
 * @throws ACCOUNT_INPUT, ACCOUNT_EXISTS
 */
export async function createAccount(
  { db }: Queryable,
  fields: NewAccountFields,
  by: Administrator,
  { at, ...surroundings }: AccountSurroundings & { readonly at: Date },
): Promise<NewAccess> {
  const {
    name,
    role,
    display_name = name,
    division = null,
    department = null,
    email = null,
    oidc = null,
  } = fields;
  const oneTimePassword = oidc === null ? readableSecret(ONE_TIME_CHARACTERS) : null;
  const hash = oneTimePassword === null ? null : await hashPassword(oneTimePassword);
  const account = await db.transaction().execute(async (tx) => {
    await requireScope(tx, { role, division, department }, surroundings);
    const { oidc_issuer, oidc_subject, oidc_email } = oidcColumns(oidc, surroundings);
    const { rows } = await unlessTaken(name, () =>
      sql<{ account_id: number }>`
        INSERT INTO access.account (name, display_name, role, division, department, email, oidc_issuer, oidc_subject,
                                    oidc_email)
        VALUES (${name}, ${display_name}, ${role}, ${division}, ${department}, ${email}, ${oidc_issuer}, ${oidc_subject},
                ${oidc_email})
        RETURNING account_id`.execute(tx),
    );
    const accountId = rows[0]?.account_id ?? 0;
    if (hash !== null) await setPassword(tx, accountId, { hash, mustChange: true, at });
    const created = await readAccount(tx, accountId);
    await tell(tx, by, created.account_id, { change: 'created', before: null, after: factsOf(created) });
    return created;
  });
  return { account, oneTimePassword };
}

/**
 * Changes what an administrator gives of an account. Other rights end its sessions: whoever has them signs in anew.
 *
 * @throws ACCOUNT_UNKNOWN, ACCOUNT_CHANGED, ACCOUNT_INPUT, ACCOUNT_EXISTS, LAST_ADMINISTRATOR
 */
export async function changeAccount(
  { db }: Queryable,
  seen: Seen,
  changes: AccountChanges,
  by: Administrator,
  surroundings: AccountSurroundings,
): Promise<Account> {
  return changing({ db }, seen, by, 'changed', async (tx, before) => {
    const after = withChanges(before, changes, surroundings);
    await requireScope(tx, after, surroundings);
    if (after.role !== 'administrator') await requireOtherAdministrator(tx, before);
    await unlessTaken(before.name, () =>
      sql`
        UPDATE access.account
        SET display_name = ${after.display_name}, role = ${after.role}, division = ${after.division},
            department = ${after.department}, email = ${after.email}, oidc_issuer = ${after.oidc_issuer},
            oidc_subject = ${after.oidc_subject}, oidc_email = ${after.oidc_email}
        WHERE account_id = ${before.account_id}`.execute(tx),
    );
    if (rightsOf(after) !== rightsOf(before)) await endSessions(tx, before.account_id);
  });
}

/**
 * Lets nobody in with an account any more, from this moment on; or lets its owner in again.
 *
 * @throws ACCOUNT_UNKNOWN, ACCOUNT_CHANGED, LAST_ADMINISTRATOR
 */
export async function setDisabled(
  { db }: Queryable,
  seen: Seen,
  disabled: boolean,
  by: Administrator,
): Promise<Account> {
  return changing({ db }, seen, by, disabled ? 'disabled' : 'enabled', async (tx, before) => {
    if (disabled) await requireOtherAdministrator(tx, before);
    await sql`
      UPDATE access.account SET disabled_at = CASE WHEN ${disabled} THEN coalesce(disabled_at, now()) END
      WHERE account_id = ${before.account_id}`.execute(tx);
    if (disabled) await endSessions(tx, before.account_id);
  });
}

/**
 * Gives an account a new one-time password, ends its sessions and its lock.
 *
 * @param authenticator whether the authenticator and its recovery codes are taken away, too
 * @throws ACCOUNT_UNKNOWN, ACCOUNT_CHANGED
 */
export async function resetAccount(
  { db }: Queryable,
  seen: Seen,
  { authenticator }: { readonly authenticator: boolean },
  by: Administrator,
  at: Date,
): Promise<NewAccess> {
  const oneTimePassword = readableSecret(ONE_TIME_CHARACTERS);
  const hash = await hashPassword(oneTimePassword);
  const change = authenticator ? 'password and authenticator reset' : 'password reset';
  const account = await changing({ db }, seen, by, change, async (tx, before) => {
    await setPassword(tx, before.account_id, { hash, mustChange: true, at });
    if (authenticator) await removeAuthenticator(tx, before.account_id);
    await unlock(tx, before.name);
    await endSessions(tx, before.account_id);
  });
  return { account, oneTimePassword };
}

/**
 * Ends all sessions of an account.
 *
 * @returns how many there were
 * @throws ACCOUNT_UNKNOWN
 */
export async function endAllSessions(
  { db }: Queryable,
  accountId: number,
  by: Administrator,
): Promise<number> {
  return db.transaction().execute(async (tx) => {
    await readAccount(tx, accountId);
    const ended = await endSessions(tx, accountId);
    await tell(tx, by, accountId, { change: 'sessions ended', sessions: ended });
    return ended;
  });
}

/** One change of an account as it was seen: a new version, and an entry with before and after. */
async function changing(
  { db }: Queryable,
  { accountId, version }: Seen,
  by: Administrator,
  change: string,
  work: (tx: Transaction<DB>, before: Account) => Promise<void>,
): Promise<Account> {
  return db.transaction().execute(async (tx) => {
    await sql`SELECT FROM access.account WHERE account_id = ${accountId} FOR UPDATE`.execute(tx);
    const before = await readAccount(tx, accountId);
    if (version !== undefined && version !== before.version)
      throw new PopshareError('ACCOUNT_CHANGED', `account ${accountId} has version ${before.version} now`);
    await work(tx, before);
    await sql`UPDATE access.account SET version = version + 1 WHERE account_id = ${accountId}`.execute(tx);
    const after = await readAccount(tx, accountId);
    await tell(tx, by, accountId, { change, before: factsOf(before), after: factsOf(after) });
    return after;
  });
}

/** @throws LAST_ADMINISTRATOR when the account is the only one with that role that may sign in */
async function requireOtherAdministrator(tx: Transaction<DB>, account: Account): Promise<void> {
  if (account.role !== 'administrator' || account.disabled_at !== null) return;
  // One after the other: two administrators who take each other's role away at the same moment are the last two.
  await sql`SELECT pg_advisory_xact_lock(hashtext('popshare.administrators'))`.execute(tx);
  const { rows } = await sql`
    SELECT 1 AS other FROM access.account
    WHERE role = 'administrator' AND disabled_at IS NULL AND account_id <> ${account.account_id} LIMIT 1`.execute(
    tx,
  );
  if (rows.length === 0)
    throw new PopshareError('LAST_ADMINISTRATOR', `${account.name} is the last administrator`);
}

/** What is not given stays. */
function withChanges(before: Account, changes: AccountChanges, surroundings: AccountSurroundings): Account {
  const { display_name, role, division, department, email, oidc } = changes;
  return {
    ...before,
    ...(display_name !== undefined && { display_name }),
    ...(role !== undefined && { role }),
    ...(division !== undefined && { division }),
    ...(department !== undefined && { department }),
    ...(email !== undefined && { email }),
    ...(oidc !== undefined && oidcColumns(oidc, surroundings)),
  };
}

/** What an account may, and who may use it. */
function rightsOf({ role, division, department, oidc_subject, oidc_email }: Account): string {
  return JSON.stringify([role, division, department, oidc_subject, oidc_email]);
}

/** What the log keeps of an account. */
function factsOf(account: Account): Record<string, unknown> {
  const { name, display_name, role, division, department, email, oidc_subject, oidc_email } = account;
  const { has_authenticator, must_change, disabled_at } = account;
  return {
    ...{ name, display_name, role, division, department, email, oidc_subject, oidc_email },
    ...{ has_authenticator, must_change, disabled: disabled_at !== null },
  };
}

async function tell(
  tx: Transaction<DB>,
  by: Administrator,
  accountId: number,
  detail: Record<string, unknown>,
): Promise<void> {
  await recordAct(tx, { actor: by.name, action: 'account', subject: `account ${accountId}`, detail });
}

/** @throws ACCOUNT_EXISTS */
async function unlessTaken<Result>(name: string, work: () => Promise<Result>): Promise<Result> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === UNIQUE_VIOLATION)
      throw new PopshareError(
        'ACCOUNT_EXISTS',
        `${name}, or the user of the provider, has an account already`,
      );
    throw error;
  }
}
