import { readdirSync, readFileSync } from 'node:fs';

const EVERY_MILLISECONDS = 250;

/** Bytes, or null where the operating system does not tell (anything but Linux). */
export type PeakMemory = number | null;

/**
 * Looks, four times a second, at the memory that some processes and all their descendants hold together, and
 * keeps the largest sum. Memory that processes share, such as the buffers of Postgres, counts once (proportional
 * set size, proc_pid_smaps(5)); the page cache does not count.
 *
 * @param roots process ids
 */
export function measureMemory(roots: readonly number[]): { stop(): PeakMemory } {
  let peak: PeakMemory = null;
  const look = (): void => {
    const sizes = withDescendants(roots).map(proportionalSize);
    const sum = sizes.reduce((total, size) => total + size, 0);
    if (sum > 0) peak = Math.max(peak ?? 0, sum);
  };
  const timer = setInterval(look, EVERY_MILLISECONDS);
  look();
  return {
    stop() {
      clearInterval(timer);
      return peak;
    },
  };
}

function withDescendants(roots: readonly number[]): number[] {
  const childrenOf = new Map<number, number[]>();
  for (const name of process.platform === 'linux' ? readdirSync('/proc') : []) {
    // "pid (command) state parent …"; the command may hold spaces and brackets.
    const parent = Number(readOrNothing(`/proc/${name}/stat`).split(') ').at(-1)?.split(' ')[1]);
    if (/^\d+$/.test(name) && parent > 0)
      childrenOf.set(parent, [...(childrenOf.get(parent) ?? []), Number(name)]);
  }
  const found = [...roots];
  // The array grows while it is walked.
  for (const id of found) found.push(...(childrenOf.get(id) ?? []));
  return [...new Set(found)];
}

function proportionalSize(processId: number): number {
  const kilobytes = /^Pss:\s+(\d+) kB/m.exec(readOrNothing(`/proc/${processId}/smaps_rollup`))?.[1];
  return Number(kilobytes ?? 0) * 1024;
}

/** Processes end while one looks at them. */
function readOrNothing(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}
