import { userInfo } from 'node:os';
import path from 'node:path';
import { loadRules, type Rule } from '../anomalies/rule-file.ts';
import { type Environment, readEnvironment } from '../schema/configuration/environment.ts';
import { type Configuration, loadConfiguration } from '../schema/configuration/load.ts';
import { openConfiguredWarehouse, type Warehouse } from '../schema/warehouse/connect.ts';
import { giveWay } from '../schema/warehouse/give-way.ts';
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
 * @param options.forNights whether the process does nothing but work that can wait: it gives way to others
 * @throws the CONFIG_, DATABASE_ and EMBEDDED_ codes
 */
export async function openSession(options: { forNights: boolean } = { forNights: false }): Promise<Session> {
  const environment = readEnvironment(process.env);
  const configuration = await loadConfiguration(environment.configFolder);
  const rules = await loadRules(path.join(environment.configFolder, 'rules'));
  const warehouse = await openConfiguredWarehouse(environment, options);
  // After the server has been started, which would inherit it.
  if (options.forNights) giveWay(process.pid);
  return { environment, configuration, rules, warehouse, user: userInfo().username };
}

/**
 * Opens a session, does the work, and closes it again, also when the work fails or the process is asked to stop.
 *
 * @param options.migrated whether the warehouse must be at this version
 * @param options.forNights as {@link openSession} has it
 * @throws the CONFIG_, DATABASE_ and EMBEDDED_ codes, before any work
 */
export async function withSession<Result>(
  work: (session: Session) => Promise<Result>,
  { migrated = true, forNights = false }: { migrated?: boolean; forNights?: boolean } = {},
): Promise<Result> {
  const session = await openSession({ forNights });
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
    if (migrated) await requireMigrated(warehouse);
    return await work(session);
  } finally {
    process.off('SIGINT', stop);
    process.off('SIGTERM', stop);
    await warehouse.close();
  }
}
