import { randomUUID } from 'node:crypto';
import { chmod, chown, mkdir, mkdtemp, readFile, realpath, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { serverAccount } from './embedded-account.ts';
import { type Account, succeeds } from './embedded-command.ts';
import { exists, replaceFile, runsAsRoot } from './embedded-files.ts';

const ELSEWHERE = '/var/lib/popshare';

/**
 * The folder in which the server, its data and everything about it live: `folder` itself, or, when root asks
 * and the account of the server cannot get into `folder`, one below /var/lib/popshare that the file
 * `location` in `folder` names. Nobody's permissions are changed. The decision is made once.
 *
 * A folder that is moved keeps its database; one that is deleted and made anew begins with an empty one.
 * Call it under the lock of `folder`.
 */
export async function findHome(folder: string): Promise<string> {
  const location = join(folder, 'location');
  if (!(await exists(location))) {
    if (!runsAsRoot() || (await exists(join(folder, 'data')))) return folder;
    const account = await serverAccount(folder);
    if (account === undefined || (await canLiveIn(folder, account))) return folder;
    await replaceFile(location, locationNote(join(ELSEWHERE, randomUUID())), 0o644);
  }
  const [home = ''] = (await readFile(location, 'utf8')).split('\n');
  if (runsAsRoot()) await makeElsewhere(home);
  return realpath(home);
}

/** Tries it with a folder made there and given to the account: some file systems cannot give one away. */
async function canLiveIn(folder: string, account: Account): Promise<boolean> {
  const trial = await mkdtemp(join(folder, 'trial-'));
  try {
    await chown(trial, account.uid, account.gid);
    return await succeeds('sh', ['-c', 'cd "$1" && test -w .', 'sh', trial], { account });
  } catch {
    return false;
  } finally {
    await rm(trial, { recursive: true });
  }
}

/** Makes the two folders such that the account passes through them, whatever the umask, and lists neither. */
async function makeElsewhere(home: string): Promise<void> {
  if ((await mkdir(ELSEWHERE, { recursive: true })) !== undefined) await chmod(ELSEWHERE, 0o711);
  await mkdir(home, { recursive: true });
  await chmod(home, 0o711);
}

function locationNote(home: string): string {
  return [
    home,
    '',
    '数据库不在本目录：运行 Postgres 的系统账户进不了本目录，数据、日志和口令文件都在第一行所写的目录里。',
    '请勿修改或删除本文件；备份时请一并备份那个目录。',
    '不再需要这个数据库时，先停止 popshare，再删除那个目录和本文件。',
    '',
  ].join('\n');
}
