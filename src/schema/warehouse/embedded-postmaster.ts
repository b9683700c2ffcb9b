import { readFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { type Cluster, failure, runPostgres, SETTINGS_FILE } from './embedded-cluster.ts';
import { succeeds } from './embedded-command.ts';
import { exists, replaceFile } from './embedded-files.ts';
import { serverProcesses, servesFolder } from './embedded-process.ts';
import { serverSettings } from './embedded-settings.ts';

// Replaying 8 GB of write-ahead log, or writing out all buffers, takes minutes on a slow disk.
const PATIENCE_SECONDS = 1800;
const POLL_MILLISECONDS = 50;
const START_ATTEMPTS = 3;
/** Larger than any process number, and as such dead for ever. */
const NOBODY = 2 ** 31 - 1;

/**
 * The port of the server that runs on the data folder, whoever started it; `undefined` when none does. One
 * that is starting or stopping is waited for.
 *
 * @throws PopshareError EMBEDDED_FAILED when it does neither become ready nor end
 */
export async function runningPort(cluster: Cluster): Promise<number | undefined> {
  const deadline = performance.now() + PATIENCE_SECONDS * 1000;
  while (performance.now() < deadline) {
    const lines = await readPidFile(cluster.data);
    if (lines === undefined || !(await servesFolder(Number(lines[0]), cluster.data))) return undefined;
    if (lines[7]?.trim() === 'ready') return Number(lines[3]);
    await delay(POLL_MILLISECONDS);
  }
  throw await failure('the server is neither ready nor gone', cluster.logFile);
}

/**
 * Starts the server on the port recorded last, or on another one when that is taken, and waits until it takes
 * connections. It outlives this process. Only when {@link runningPort} found none.
 *
 * @throws PopshareError EMBEDDED_FAILED
 */
export async function startServer(
  cluster: Cluster,
  overrides: Readonly<Record<string, string>>,
): Promise<number> {
  await endLeftovers(cluster);
  const portFile = join(cluster.home, 'port');
  let port = (await exists(portFile)) ? Number(await readFile(portFile, 'utf8')) : 0;
  for (let attempt = 1; attempt <= START_ATTEMPTS; attempt += 1) {
    port = (await freePort(port)) ?? (await freePort(0)) ?? 0;
    const settings = await serverSettings(port, overrides);
    await replaceFile(join(cluster.home, SETTINGS_FILE), settings, 0o644);
    if (await control(cluster, ['start'])) {
      await replaceFile(portFile, `${port}\n`, 0o644);
      return port;
    }
    // Unless another program was faster to take the port, trying again is of no use.
    if ((await freePort(port)) !== undefined) break;
  }
  throw await failure('Postgres did not start', cluster.logFile);
}

/**
 * Stops the server in order, ending its connections.
 *
 * @throws PopshareError EMBEDDED_FAILED
 */
export async function stopServer(cluster: Cluster): Promise<void> {
  if (await control(cluster, ['stop', '--mode=fast'])) return;
  throw await failure('Postgres did not stop', cluster.logFile);
}

function control(cluster: Cluster, command: readonly string[]): Promise<boolean> {
  const parameters = ['--wait', `--timeout=${PATIENCE_SECONDS}`, '--silent', `--pgdata=${cluster.data}`];
  return runPostgres(cluster, 'pg_ctl', [...command, ...parameters]);
}

/**
 * Clears the way after a postmaster that was killed. Its children may still compute and keep its shared
 * memory, and Postgres will not start beside them; they have lost the right to write, so they are killed, and
 * recovery from the write-ahead log makes good. And its number may be another program's by now, which
 * Postgres takes for a postmaster: the pid file gets a number that nobody has. The file stays, since Postgres
 * finds the shared memory to look after by its last line.
 */
async function endLeftovers(cluster: Cluster): Promise<void> {
  for (let left = await serverProcesses(cluster.data); left.length > 0; ) {
    for (const pid of left) killIfThere(pid);
    await delay(POLL_MILLISECONDS);
    left = await serverProcesses(cluster.data);
  }
  if ((await readPidFile(cluster.data)) === undefined) return;
  // By the account itself: root does not write where another account could lay links for it.
  const replaceFirstLine = ['-i', `1s/.*/${NOBODY}/`, join(cluster.data, 'postmaster.pid')];
  if (!(await succeeds('sed', replaceFirstLine, { account: cluster.account }))) {
    throw await failure('postmaster.pid could not be written', cluster.logFile);
  }
}

function killIfThere(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch (cause) {
    if (!(cause instanceof Error && 'code' in cause && cause.code === 'ESRCH')) throw cause;
  }
}

/** Lines of postmaster.pid: 1 process number, 4 port, 8 status (Postgres's src/include/utils/pidfile.h). */
async function readPidFile(data: string): Promise<string[] | undefined> {
  const path = join(data, 'postmaster.pid');
  return (await exists(path)) ? (await readFile(path, 'utf8')).split('\n') : undefined;
}

/**
 * @param port the port to try; 0 for any
 * @returns a port of 127.0.0.1 that is free now; `undefined` when `port` is taken
 */
async function freePort(port: number): Promise<number | undefined> {
  const server = createServer();
  const { promise, resolve } = Promise.withResolvers<number | undefined>();
  server.once('error', () => resolve(undefined));
  server.listen({ port, host: '127.0.0.1', exclusive: true }, () => {
    const address = server.address();
    server.close(() => resolve(typeof address === 'object' ? address?.port : undefined));
  });
  return promise;
}
