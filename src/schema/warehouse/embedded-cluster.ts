import { randomBytes } from 'node:crypto';
import { chown, mkdtemp, open, readdir, readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { PopshareError } from '../errors.ts';
import { type Account, succeeds } from './embedded-command.ts';
import { exists, giveToOwner, replaceFile } from './embedded-files.ts';

/** The role that owns the database; the one superuser of the embedded server. */
export const ROLE = 'popshare';
/** The database. */
export const DATABASE = 'popshare';

const LOG_LINES = 20;

/** The settings that popshare writes at each start, in the home folder; postgresql.conf includes them. */
export const SETTINGS_FILE = 'popshare.conf';

/** One embedded server at rest: where its parts are, and as whom it runs. */
export interface Cluster {
  /** The folder that holds everything below. */
  readonly home: string;
  /** Postgres's data folder. It exists only complete: it is renamed into place at the end of its making. */
  readonly data: string;
  /** The folder with `bin`, `lib` and `share`. */
  readonly native: string;
  readonly logFile: string;
  readonly account: Account | undefined;
}

/**
 * Runs one of Postgres's programs; what it prints is appended to the log.
 *
 * @returns whether it succeeded
 */
export async function runPostgres(
  cluster: Cluster,
  program: 'initdb' | 'pg_ctl' | 'postgres',
  parameters: readonly string[],
  input?: string,
): Promise<boolean> {
  const log = await open(cluster.logFile, 'a', 0o600);
  try {
    await giveToOwner(cluster.logFile);
    const options = { account: cluster.account, log: log.fd, ...(input === undefined ? {} : { input }) };
    return await succeeds(join(cluster.native, 'bin', program), parameters, options);
  } finally {
    await log.close();
  }
}

/** A failure with the last lines of the server log. The log holds no personal data, see embedded-settings.ts. */
export async function failure(what: string, logFile: string): Promise<PopshareError> {
  const lines = (await readFile(logFile, 'utf8')).trimEnd().split('\n').slice(-LOG_LINES);
  return new PopshareError('EMBEDDED_FAILED', `${what}; the log ${logFile} ends with:\n${lines.join('\n')}`);
}

/** Removes what makings of `data` that were cut short left behind. */
export async function clearUnfinished(home: string): Promise<void> {
  for (const name of await readdir(home)) {
    // An initdb whose parent was killed may still be writing there for a moment.
    if (!name.startsWith('unfinished-')) continue;
    await rm(join(home, name), { recursive: true, force: true, maxRetries: 10, retryDelay: 200 });
  }
}

/**
 * Makes the data folder with the database in it: UTF-8, text compared by code points in the same way on every
 * machine, passwords by SCRAM for all. It is made beside its place and renamed when complete.
 *
 * @throws PopshareError EMBEDDED_FAILED when initdb fails
 */
export async function makeData(cluster: Cluster): Promise<void> {
  const draft = await mkdtemp(join(cluster.home, 'unfinished-'));
  const { account } = cluster;
  const data = join(draft, 'data');
  const passwordFile = join(draft, 'password');
  await replaceFile(passwordFile, await makePassword(cluster.home), 0o600);
  if (account !== undefined) {
    await chown(passwordFile, account.uid, account.gid);
    await chown(draft, account.uid, account.gid);
  }

  const made = await runPostgres(cluster, 'initdb', [
    `--pgdata=${data}`,
    `--username=${ROLE}`,
    `--pwfile=${passwordFile}`,
    '--auth=scram-sha-256',
    '--encoding=UTF8',
    '--locale-provider=builtin',
    '--locale=C.UTF-8',
    '--no-instructions',
  ]);
  if (!made) throw await failure('initdb could not make the database', cluster.logFile);

  const single = ['--single', '-D', data, '-c', 'exit_on_error=true', 'postgres'];
  if (!(await runPostgres(cluster, 'postgres', single, `CREATE DATABASE ${DATABASE}\n`))) {
    throw await failure(`database ${DATABASE} could not be made`, cluster.logFile);
  }

  // By the account itself: root does not write where another account could lay links for it.
  const append = [
    '-c',
    'echo "$1" >>"$2"',
    'sh',
    `include '../${SETTINGS_FILE}'`,
    join(data, 'postgresql.conf'),
  ];
  if (!(await succeeds('sh', append, { account }))) {
    throw await failure('postgresql.conf could not be written', cluster.logFile);
  }

  await rename(data, cluster.data);
  await rm(draft, { recursive: true });
}

/** The password of {@link ROLE}: hexadecimal digits, so that it needs no escaping in a URL. */
export async function readPassword(home: string): Promise<string> {
  return (await readFile(join(home, 'password'), 'utf8')).trim();
}

async function makePassword(home: string): Promise<string> {
  const path = join(home, 'password');
  if (!(await exists(path))) await replaceFile(path, `${randomBytes(24).toString('hex')}\n`, 0o600);
  return readPassword(home);
}
