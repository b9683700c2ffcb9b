import { execFile, execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { chown, mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { serverAccount } from '../../src/schema/warehouse/embedded-account.ts';

const run = promisify(execFile);

/** The major version of the pg_dump on the path; null when there is none. */
function dumpVersion(): number | null {
  try {
    return Number(/(\d+)\./.exec(execFileSync('pg_dump', ['--version'], { encoding: 'utf8' }))?.[1]);
  } catch {
    return null;
  }
}

/** Where Debian keeps the server of that version. */
const binaries = (version: number): string => `/usr/lib/postgresql/${version}/bin`;

/** The version for which this machine has both pg_dump and the server; null when it has not. */
export function debianVersion(): number | null {
  const version = dumpVersion();
  return version !== null && existsSync(path.join(binaries(version), 'initdb')) ? version : null;
}

/** A server of that version of its own, whose superuser is `admin`; others are trusted, too. */
export async function startDebianServer(
  version: number,
): Promise<{ url(role: string, database: string): string; stop(): Promise<void> }> {
  const folder = await mkdtemp(path.join(tmpdir(), 'popshare-debian-'));
  const account = await serverAccount(folder);
  if (account !== undefined) await chown(folder, account.uid, account.gid);
  const as = account === undefined ? {} : { uid: account.uid, gid: account.gid };
  const command = (name: string, args: readonly string[]) =>
    run(path.join(binaries(version), name), [...args], { ...as, cwd: folder });
  const data = path.join(folder, 'data');
  const port = await freePort();
  const settings = `-p ${port} -c listen_addresses=127.0.0.1 -c unix_socket_directories= -c fsync=off -c timezone=Asia/Shanghai`;
  await command('initdb', ['-D', data, '-U', 'admin', '--auth=trust', '-E', 'UTF8', '--locale=C.UTF-8']);
  await command('pg_ctl', ['-D', data, '-w', '-l', path.join(folder, 'log'), '-o', settings, 'start']);
  return {
    url: (role, database) => `postgres://${role}@127.0.0.1:${port}/${database}`,
    async stop() {
      await command('pg_ctl', ['-D', data, '-w', '-m', 'immediate', 'stop']);
      await rm(folder, { recursive: true, force: true });
    },
  };
}

async function freePort(): Promise<number> {
  const server = createServer();
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0));
    });
  });
}
