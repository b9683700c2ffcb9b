import { access } from 'node:fs/promises';
import path from 'node:path';
import type { Command } from 'commander';
import { inShanghai } from '../jobs/shanghai.ts';
import { type Environment, readEnvironment } from '../schema/configuration/environment.ts';
import { openConfiguredWarehouse } from '../schema/warehouse/connect.ts';
import { type Check, failed, warning } from './doctor/check.ts';
import { checkRedis } from './doctor/redis.ts';
import { checkSite } from './doctor/site.ts';
import { checkWarehouse } from './doctor/warehouse.ts';
import { say, sayJson, table } from './output.ts';

/** `doctor`: what is wrong with this installation, and how to mend it. It changes nothing. */
export function addDoctorCommand(program: Command): void {
  program
    .command('doctor')
    .description('what is wrong with this installation and how to mend it; exit 1 on a problem 诊断')
    .option('--json', 'one JSON object on stdout: {"healthy", "checks": [...]}')
    .action(async (options: { json?: true }) => {
      const checks = await examine(readEnvironment(process.env), new Date());
      const healthy = checks.every(({ state }) => state !== 'problem');
      if (!healthy) process.exitCode = 1;
      if (options.json) return sayJson({ healthy, checks });
      const marks = { ok: '✓', warning: '!', problem: '✗' };
      say(table(checks.map(({ name, state, found, todo }) => [marks[state], name, found, todo])));
    });
}

async function examine(environment: Environment, now: Date): Promise<Check[]> {
  const { checks } = await checkSite(environment, inShanghai(now).day);
  const redis = environment.redisUrl === undefined ? [] : await checkRedis(environment.redisUrl);
  return [...checks, ...(await examineWarehouse(environment, now)), ...redis];
}

/** An embedded server that was never made is not made for a look. */
async function examineWarehouse(environment: Environment, now: Date): Promise<Check[]> {
  const { databaseUrl, dataFolder } = environment;
  const isThere = await access(path.join(dataFolder, 'postgres')).then(
    () => true,
    () => false,
  );
  if (databaseUrl === undefined && !isThere)
    return [warning('database', 'not made yet', '`npx popshare migrate`, or set DATABASE_URL.')];
  try {
    const warehouse = await openConfiguredWarehouse(environment);
    try {
      return await checkWarehouse(warehouse, environment, now);
    } finally {
      await warehouse.close();
    }
  } catch (error) {
    return [failed('database', error)];
  }
}
