import { randomUUID } from 'node:crypto';
import { mkdir, readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { giveToOwner, replaceFile } from './embedded-files.ts';
import { processStart } from './embedded-process.ts';

/**
 * Enters this process among the users of the server in `home`: one file per use in `users/`, named after the
 * process number, with the process's start as its text. Call it under the lock of `home`.
 *
 * @returns the path of the entry, for {@link removeUser}
 */
export async function addUser(home: string): Promise<string> {
  const users = join(home, 'users');
  await mkdir(users, { recursive: true });
  await giveToOwner(users);
  const entry = join(users, `${process.pid}-${randomUUID()}`);
  await replaceFile(entry, `${await processStart(process.pid)}`, 0o600);
  return entry;
}

/**
 * Strikes out one use, and those of processes that ended without a word. Call it under the lock of `home`.
 *
 * @returns whether others still use the server
 */
export async function removeUser(home: string, entry: string): Promise<boolean> {
  await rm(entry, { force: true });
  const users = join(home, 'users');
  let remaining = false;
  for (const name of await readdir(users)) {
    const start = await processStart(Number.parseInt(name, 10));
    const recorded = await readFile(join(users, name), 'utf8');
    if (start === recorded) remaining = true;
    else await rm(join(users, name));
  }
  return remaining;
}
