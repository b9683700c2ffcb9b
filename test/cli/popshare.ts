import { spawn } from 'node:child_process';
import { once } from 'node:events';
import type { useCounty } from '../support/drop.ts';

export interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs `popshare` with these arguments to its end. */
export async function popshare(
  args: readonly string[],
  environment: Readonly<Record<string, string>> = {},
): Promise<Ended> {
  const child = spawn(process.execPath, ['bin/popshare.js', ...args], {
    env: { PATH: process.env['PATH'], HOME: process.env['HOME'], ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let [stdout, stderr] = ['', ''];
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  await once(child, 'close');
  return { code: child.exitCode, stdout, stderr };
}

/** Runs `popshare` in a county, with the shipped configuration unless another is named. */
export function inCounty(
  county: ReturnType<typeof useCounty>,
): (args: readonly string[], environment?: Readonly<Record<string, string>>) => Promise<Ended> {
  return (args, environment = {}) =>
    popshare(args, {
      DATABASE_URL: county.warehouse.url,
      POPSHARE_CONFIG: 'config',
      POPSHARE_DATA: county.data,
      POPSHARE_DROP: county.drop,
      ...environment,
    });
}
