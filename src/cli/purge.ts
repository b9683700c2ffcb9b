import { userInfo } from 'node:os';
import type { Command } from 'commander';
import { type Purged, type PurgeOrder, previewPurge, purge } from '../jobs/retention/purge.ts';
import { openRun, step } from '../jobs/run.ts';
import { today } from '../schema/warehouse/today.ts';
import { say, sayJson, sayRows } from './output.ts';
import { withSession } from './session.ts';

/** `purge`: what each night does at its end, now. */
export function addPurgeCommand(program: Command): void {
  program
    .command('purge')
    .description(
      'takes away what `retention` of popshare.yaml keeps no longer; each night does it, too 清理到期数据',
    )
    .option('--dry-run', 'only say what would go')
    .option('--json', 'one JSON object on stdout: {"purged": [...]}')
    .action(async (options: { dryRun?: true; json?: true }) => {
      const purged = await withSession(async ({ warehouse, configuration, environment }) => {
        const order: PurgeOrder = {
          warehouse,
          settings: configuration.settings.retention,
          dataFolder: environment.dataFolder,
          asOf: await today(warehouse),
          now: new Date(),
        };
        return options.dryRun ? previewPurge(order) : purgeInRun(order);
      });
      if (options.json) return sayJson({ purged });
      const found = purged.filter(({ count }) => count > 0);
      sayRows(found, 'nothing has expired');
      if (options.dryRun && found.length > 0) say('nothing was taken away: this was a dry run');
    });
}

async function purgeInRun(order: PurgeOrder): Promise<Purged[]> {
  const { warehouse, asOf } = order;
  const run = await openRun(warehouse, asOf, 'purge');
  try {
    let purged: Purged[] = [];
    await step(warehouse, run.runId, 'retention', '', async () => {
      purged = await purge(order, run.runId, userInfo().username);
    });
    await run.close('done', null);
    return purged;
  } catch (error) {
    await run.close('failed', null).catch(() => run.abandon());
    throw error;
  }
}
