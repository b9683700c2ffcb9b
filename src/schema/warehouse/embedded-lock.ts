import { chmod } from 'node:fs/promises';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { setTimeout as delay } from 'node:timers/promises';
import { PopshareError } from '../errors.ts';
import { giveToOwner } from './embedded-files.ts';

const SQLITE_BUSY = 5;
const RETRY_MILLISECONDS = 50;

/**
 * Does something that only one process at a time may do in a folder.
 *
 * The lock is the exclusive lock of an empty SQLite file `lock`: the operating system holds it for the
 * process and lets go of it when the process ends, however it ends. So there is no stale lock to judge.
 *
 * @param home the folder
 * @param patience how long to wait for the lock, in milliseconds
 * @throws PopshareError EMBEDDED_BUSY when another process keeps the lock for longer; EMBEDDED_FAILED when
 *   the folder belongs to another account
 */
export async function withLock<Result>(
  home: string,
  patience: number,
  action: () => Promise<Result>,
): Promise<Result> {
  const file = join(home, 'lock');
  const lock = openLock(file);
  try {
    const deadline = performance.now() + patience;
    while (!taken(lock)) {
      if (performance.now() >= deadline) {
        throw new PopshareError('EMBEDDED_BUSY', `another process holds ${file}`);
      }
      await delay(RETRY_MILLISECONDS);
    }
    // Others could hold up this process with a file that they can read.
    await chmod(file, 0o600);
    await giveToOwner(file);
    return await action();
  } finally {
    lock.close();
  }
}

function openLock(file: string): DatabaseSync {
  try {
    return new DatabaseSync(file);
  } catch (cause) {
    const what = `${file} cannot be opened; run popshare as the account that made the folder, or as root`;
    throw new PopshareError('EMBEDDED_FAILED', what, { cause });
  }
}

function taken(lock: DatabaseSync): boolean {
  try {
    lock.exec('BEGIN EXCLUSIVE');
    return true;
  } catch (cause) {
    if (cause instanceof Error && 'errcode' in cause && cause.errcode === SQLITE_BUSY) return false;
    throw cause;
  }
}
