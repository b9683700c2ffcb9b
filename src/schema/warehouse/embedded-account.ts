import { execFile } from 'node:child_process';
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { PopshareError } from '../errors.ts';
import { type Account, succeeds } from './embedded-command.ts';
import { runsAsRoot } from './embedded-files.ts';

const OWN_ACCOUNT = 'popshare-postgres';

/**
 * The account that Postgres runs as; it refuses to run as root.
 *
 * An ordinary user: itself. Root: whoever owns the data, else the ordinary user who owns the folder, so that
 * both may start the server in turn; else an account of its own, made when it is missing. Where none can be
 * made, `postgres` or `nobody` stand in: the data stay closed to everybody else, but other programs of that
 * account could reach them.
 *
 * @param home the folder that holds, or will hold, `data`
 * @returns `undefined` for the account of this process
 * @throws PopshareError EMBEDDED_FAILED when root has no account to run Postgres as
 */
export async function serverAccount(home: string): Promise<Account | undefined> {
  if (!runsAsRoot()) return undefined;
  for (const path of [join(home, 'data'), home]) {
    const owner = await stat(path).catch(() => undefined);
    if (owner === undefined || owner.uid === 0) continue;
    // initdb wants a name for the account that it runs as; a number without one is of no use.
    const account = await lookUp(String(owner.uid));
    if (account !== undefined) return account;
  }
  return (await lookUp(OWN_ACCOUNT)) ?? (await makeAccount());
}

async function makeAccount(): Promise<Account> {
  const parameters = ['--system', '--user-group', '--no-create-home', '--home-dir', '/nonexistent'];
  // It may fail because useradd is missing, /etc cannot be written, or another process was faster: what
  // counts is which accounts exist afterwards.
  await succeeds('useradd', [...parameters, '--shell', '/usr/sbin/nologin', OWN_ACCOUNT], {
    account: undefined,
  }).catch(() => false);
  for (const name of [OWN_ACCOUNT, 'postgres', 'nobody']) {
    const account = await lookUp(name);
    if (account !== undefined) return account;
  }
  throw new PopshareError(
    'EMBEDDED_FAILED',
    `Postgres refuses to run as root, and the account ${OWN_ACCOUNT} could not be made with useradd`,
  );
}

/** @param key a name or a number; getent knows the accounts of directory services too */
async function lookUp(key: string): Promise<Account | undefined> {
  const found = await promisify(execFile)('/usr/bin/getent', ['passwd', key]).catch(() => undefined);
  const [, , uid, gid] = found?.stdout.split(':') ?? [];
  return uid === undefined || gid === undefined ? undefined : { uid: Number(uid), gid: Number(gid) };
}
