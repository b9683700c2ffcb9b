import { readFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { z } from 'zod';
import { loadRules } from '../../src/anomalies/rule-file.ts';
import { log } from '../../src/jobs/log.ts';
import { connectQueue } from '../../src/jobs/queue.ts';
import { runDueNights } from '../../src/jobs/scheduler.ts';
import { startWorker } from '../../src/jobs/worker.ts';
import { loadConfiguration } from '../../src/schema/configuration/load.ts';
import { openWarehouse } from '../../src/schema/warehouse/connect.ts';

/** A scheduler or a worker as a process of its own, under a clock that a file shows. Ends when it is killed. */
const optionsSchema = z.object({
  part: z.enum(['scheduler', 'worker']),
  databaseUrl: z.string(),
  redisUrl: z.string().optional(),
  configFolder: z.string(),
  dataFolder: z.string(),
  dropFolder: z.string(),
  clock: z.string(),
});
const options = optionsSchema.parse(JSON.parse(process.argv[2] ?? ''));
const DEAD_AFTER_MILLISECONDS = 1_000;
const TICK_MILLISECONDS = 200;

const warehouse = await openWarehouse(options.databaseUrl);
const configuration = await loadConfiguration(options.configFolder);
const rules = await loadRules(path.join(options.configFolder, 'rules'));
const queue = await connectQueue({
  ...options,
  redisUrl: options.redisUrl,
  deadAfter: DEAD_AFTER_MILLISECONDS,
});
const house = { ...options, warehouse, configuration, rules, queue };
if (options.part === 'worker') await startWorker(house, queue);
else {
  const now = (): Date => new Date(readFileSync(options.clock, 'utf8'));
  for (;;) {
    await runDueNights(house, now, new AbortController().signal).catch((error) =>
      log.warn({ err: error }, 'tick'),
    );
    await setTimeout(TICK_MILLISECONDS);
  }
}
