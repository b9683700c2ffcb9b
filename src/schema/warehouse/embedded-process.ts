import { readdir, readFile, stat } from 'node:fs/promises';

/**
 * The moment at which a process began, as a text to compare: the system's boot, and clock ticks since then
 * (proc_pid_stat(5), field 22). Together with its number it names a process for ever, since numbers are
 * used again.
 *
 * @returns `undefined` when no such process lives; one that has ended and was not collected does not live
 */
export async function processStart(pid: number): Promise<string | undefined> {
  const line = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => undefined);
  if (line === undefined) return undefined;
  // The name in brackets may hold anything, brackets too; the fields after it are numbered from 3.
  const fields = line.slice(line.lastIndexOf(')') + 2).split(' ');
  if (fields[0] === 'Z' || fields[0] === 'X') return undefined;
  const boot = await readFile('/proc/sys/kernel/random/boot_id', 'utf8');
  return `${boot.trim()} ${fields[22 - 3]}`;
}

/**
 * Whether a process is a Postgres server process of a data folder: each of them makes it its working folder.
 * Folders are compared by their place on the disk, so a folder that was renamed meanwhile is still the one.
 */
export async function servesFolder(pid: number, data: string): Promise<boolean> {
  try {
    const name = await readFile(`/proc/${pid}/comm`, 'utf8');
    if (name.trim() !== 'postgres') return false;
    const [working, wanted] = await Promise.all([stat(`/proc/${pid}/cwd`), stat(data)]);
    return working.dev === wanted.dev && working.ino === wanted.ino;
  } catch {
    // Gone meanwhile, or of another account and hidden from this one: not a server of ours.
    return false;
  }
}

/** The numbers of all living Postgres processes of a data folder. */
export async function serverProcesses(data: string): Promise<number[]> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name)).map(Number);
  const serving = await Promise.all(pids.map((pid) => servesFolder(pid, data)));
  return pids.filter((_, index) => serving[index]);
}
