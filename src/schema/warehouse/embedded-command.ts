import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { PopshareError } from '../errors.ts';

/** A system account by its numbers; `undefined` where one is asked for means the account of this process. */
export interface Account {
  readonly uid: number;
  readonly gid: number;
}

interface CommandOptions {
  /** The account to run as; only root can name another than its own. */
  readonly account: Account | undefined;
  /** An open file that takes what the command and its descendants print; nothing is kept without it. */
  readonly log?: number;
  /** What the command reads from its standard input. */
  readonly input?: string;
}

/**
 * Runs one program to its end and tells whether it left with code 0.
 *
 * It runs in the root folder, because the account may be unable to enter the folder of this process; with a
 * bare environment, because PGOPTIONS and the like would change what Postgres does; and in a session of its
 * own, so that Ctrl-C on the terminal reaches popshare alone, which then stops things in order.
 *
 * @throws PopshareError EMBEDDED_UNSUPPORTED when the system cannot load the program at all (a C library of
 *   another kind); EMBEDDED_FAILED when it cannot be run as the account
 */
export async function succeeds(
  program: string,
  parameters: readonly string[],
  options: CommandOptions,
): Promise<boolean> {
  const output = options.log ?? 'ignore';
  const child = spawn(program, parameters, {
    ...options.account,
    cwd: '/',
    env: { PATH: '/usr/sbin:/usr/bin:/sbin:/bin', LC_ALL: 'C' },
    detached: true,
    stdio: [options.input === undefined ? 'ignore' : 'pipe', output, output],
  });
  // A program that ends without reading its input breaks the pipe; its exit code tells the story.
  child.stdin?.on('error', () => {});
  child.stdin?.end(options.input);
  try {
    const [code] = await once(child, 'exit');
    return code === 0;
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    const unloadable = cause instanceof Error && 'code' in cause && cause.code === 'ENOENT';
    throw new PopshareError(
      unloadable ? 'EMBEDDED_UNSUPPORTED' : 'EMBEDDED_FAILED',
      `${program} cannot run here: ${reason}`,
      { cause },
    );
  }
}
