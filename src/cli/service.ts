import type { Command } from 'commander';
import type { Part } from './serve.ts';

export function addServiceCommands(program: Command): void {
  program
    .command('start')
    .description('the whole service in one process: server, scheduler and worker 启动服务')
    .action(() => serve(['server', 'scheduler', 'worker']));
  program
    .command('server')
    .description('the HTTP API and the officers’ pages 网页服务')
    .action(() => serve(['server']));
  program
    .command('scheduler')
    .description('opens each night after its last cut-off, and what was missed 调度')
    .action(() => serve(['scheduler']));
  program
    .command('worker')
    .description('does the jobs of the nights; several may run, on several machines 执行任务')
    .action(() => serve(['worker']));
}

/** What the service alone needs is a third of all modules: other commands begin without reading it. */
async function serve(parts: readonly Part[]): Promise<void> {
  const service = await import('./serve.ts');
  await service.serve(parts);
}
