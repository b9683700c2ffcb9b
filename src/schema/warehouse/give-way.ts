import { constants, setPriority } from 'node:os';

/**
 * Has the operating system prefer everybody else on this machine to a process: work that can wait takes what the
 * officers' pages leave of the processors, and all of it when nobody is there. Where the system does not allow it, or
 * the process has ended, everything stays as it is.
 *
 * @param processId of this process, or of one of a server's on this machine
 */
export function giveWay(processId: number): void {
  try {
    setPriority(processId, constants.priority.PRIORITY_BELOW_NORMAL);
  } catch {
    // Slower pages for an hour are no reason to stop a night.
  }
}
