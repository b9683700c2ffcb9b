import { randomUUID } from 'node:crypto';
import { access, lchown, open, rename, stat } from 'node:fs/promises';
import { dirname } from 'node:path';

/** Whether this process runs as root, which may act as other accounts and give files away. */
export function runsAsRoot(): boolean {
  return process.getuid?.() === 0;
}

/** Whether there is anything at a path. */
export async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}

/**
 * Gives a new file or folder to whoever owns the folder around it, so that what root leaves in the folder of
 * an ordinary user does not lock that user out. Nothing to do for others than root.
 */
export async function giveToOwner(path: string): Promise<void> {
  if (!runsAsRoot()) return;
  const owner = await stat(dirname(path));
  await lchown(path, owner.uid, owner.gid);
}

/**
 * Puts a whole text in the place of a file, or makes it: a reader, or a crash, sees the old text or the new.
 * A link that stands in its place is replaced, not followed.
 *
 * @param mode permissions, whatever the umask
 */
export async function replaceFile(path: string, text: string, mode: number): Promise<void> {
  const draft = `${path}.${randomUUID()}`;
  const file = await open(draft, 'wx', mode);
  try {
    await file.chmod(mode);
    await file.writeFile(text);
    await giveToOwner(draft);
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(draft, path);
}
