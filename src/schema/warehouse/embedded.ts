import { mkdir, realpath } from 'node:fs/promises';
import { join } from 'node:path';
import { PopshareError } from '../errors.ts';
import { serverAccount } from './embedded-account.ts';
import { findBinaries } from './embedded-binaries.ts';
import { type Cluster, clearUnfinished, DATABASE, makeData, ROLE, readPassword } from './embedded-cluster.ts';
import { exists } from './embedded-files.ts';
import { findHome } from './embedded-home.ts';
import { withLock } from './embedded-lock.ts';
import { runningPort, startServer, stopServer } from './embedded-postmaster.ts';
import { addUser, removeUser } from './embedded-users.ts';

const LOCK_PATIENCE_MILLISECONDS = 60_000;

/** A use of the embedded server. */
export interface EmbeddedServer {
  /** Connection string of the database, with its password: not for logs. */
  readonly url: string;
  /** The server's log. */
  readonly logFile: string;
  /** Ends this use, and stops the server when nobody else uses it. Calling it again changes nothing. */
  stop(): Promise<void>;
}

/**
 * Starts Postgres on a folder, or joins the server that already runs there: there are never two on one
 * folder. The first start makes the database.
 *
 * Whoever stops last stops the server, across processes; a process that ended without `stop` does not count.
 * When the last one was killed, the server stays, and the next start takes it over.
 *
 * @param options.folder where the server lives; made when missing. When root asks and the server's account
 *   cannot get in, the server lives elsewhere and the file `location` in the folder says where
 * @param options.settings Postgres settings by name, over those of embedded-settings.ts; they take effect when
 *   the server starts, not when a running one is joined
 * @throws PopshareError EMBEDDED_UNSUPPORTED: no binaries for this platform; EMBEDDED_BUSY: another process
 *   has been starting or stopping it for 60 s; EMBEDDED_FAILED: anything else, with the end of the log if any
 */
export async function startEmbedded(options: {
  folder: string;
  settings?: Record<string, string>;
}): Promise<EmbeddedServer> {
  return explained(options.folder, async () => {
    await mkdir(options.folder, { recursive: true });
    const folder = await realpath(options.folder);
    const home = await withLock(folder, LOCK_PATIENCE_MILLISECONDS, () => findHome(folder));
    return withLock(home, LOCK_PATIENCE_MILLISECONDS, () => use(home, options.settings ?? {}));
  });
}

/** Under the lock of `home`: a running server, and this process among its users. */
async function use(home: string, settings: Record<string, string>): Promise<EmbeddedServer> {
  const account = await serverAccount(home);
  const cluster: Cluster = {
    home,
    account,
    data: join(home, 'data'),
    logFile: join(home, 'postgres.log'),
    native: await findBinaries(home, account),
  };
  const port = (await runningPort(cluster)) ?? (await start(cluster, settings));
  const password = await readPassword(home);
  const entry = await addUser(home);
  let stopped: Promise<void> | undefined;
  return {
    url: `postgres://${ROLE}:${password}@127.0.0.1:${port}/${DATABASE}`,
    logFile: cluster.logFile,
    stop() {
      stopped ??= explained(home, () =>
        withLock(home, LOCK_PATIENCE_MILLISECONDS, () => leave(cluster, entry)),
      );
      return stopped;
    },
  };
}

async function start(cluster: Cluster, settings: Record<string, string>): Promise<number> {
  await clearUnfinished(cluster.home);
  if (!(await exists(cluster.data))) await makeData(cluster);
  return startServer(cluster, settings);
}

async function leave(cluster: Cluster, entry: string): Promise<void> {
  const othersUseIt = await removeUser(cluster.home, entry);
  if (othersUseIt || (await runningPort(cluster)) === undefined) return;
  await stopServer(cluster);
}

/** What the file system refuses comes out with a code, too. */
async function explained<Result>(folder: string, action: () => Promise<Result>): Promise<Result> {
  try {
    return await action();
  } catch (cause) {
    if (cause instanceof PopshareError) throw cause;
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new PopshareError('EMBEDDED_FAILED', `the embedded server in ${folder}: ${reason}`, { cause });
  }
}
