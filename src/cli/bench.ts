import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { Argument, type Command } from 'commander';

/** Each is a program of its own in bench/: it measures itself against a yardstick in the same run. */
const BENCHMARKS = [
  'load',
  'identity',
  'febrl',
  'residents',
  'profile',
  'indicators',
  'rules',
  'queue',
  'api',
];

export function addBenchCommand(program: Command): void {
  program
    .command('bench')
    .description('the benchmarks, as ratios to a yardstick measured in the same run 基准测试')
    .addArgument(new Argument('[name]', 'which one').choices(BENCHMARKS).default('load'))
    .argument('[arguments...]', 'handed on; docs/benchmarks.md tells them')
    .action(async (name: string, given: string[]) => {
      const file = fileURLToPath(new URL(`../../bench/${name}.ts`, import.meta.url));
      const child = spawn(process.execPath, [...process.execArgv, file, ...given], { stdio: 'inherit' });
      const [code] = await once(child, 'exit');
      process.exitCode = typeof code === 'number' ? code : 1;
    });
}
