import { userInfo } from 'node:os';
import path from 'node:path';
import { loadRules, type Rule } from '../anomalies/rule-file.ts';
import { type Environment, readEnvironment } from '../schema/configuration/environment.ts';
import { type Configuration, loadConfiguration } from '../schema/configuration/load.ts';
import { openConfiguredWarehouse, type Warehouse } from '../schema/warehouse/connect.ts';
import { requireMigrated } from '../schema/warehouse/migrate.ts';

/** What a command works with. */
export interface Session {
  readonly environment: Environment;
  readonly configuration: Configuration;
  readonly rules: readonly Rule[];
  readonly warehouse: Warehouse;
  /** The operating system's user: who acts, unless the command names somebody. */
  readonly user: string;
}

/**
 * Reads the whole configuration and opens the warehouse. Whoever calls it closes that.
 *
 * @throws the CONFIG_, DATABASE_ and EMBEDDED_ codes
 */
export async function openSession(): Promise<Session> {
  const environment = readEnvironment(process.env);
  const configuration = await loadConfiguration(environment.configFolder);
  const rules = await loadRules(path.join(environment.configFolder, 'rules'));
  const warehouse = await openConfiguredWarehouse(environment);
  return { environment, configuration, rules, warehouse, user: userInfo().username };
}

/**
 * Opens a session, does the work, and closes it again, also when the work fails or the process is asked to stop.
 *
 * @throws the CONFIG_, DATABASE_ and EMBEDDED_ codes, before any work
 */
export async function withSession<Result>(
  work: (session: Session) => Promise<Result>,
  options: { migrated: boolean } = { migrated: true },
): Promise<Result> {
  const session = await openSession();
  const { warehouse } = session;
  let stopping = false;
  const stop = (): void => {
    // Under npx a Ctrl-C comes twice, from the terminal and from npm. What was not committed is done by the next run.
    if (stopping) return;
    stopping = true;
    warehouse.abort().finally(() => process.exit(130));
  };
  process.on('SIGINT', stop);
  process.on('SIGTERM', stop);
  try {
    if (options.migrated) await requireMigrated(warehouse);
    return await work(session);
  } finally {
    process.off('SIGINT', stop);
    process.off('SIGTERM', stop);
    await warehouse.close();
  }
}
