import type { AddressInfo } from 'node:net';
import { loadDueDates } from '../anomalies/queue/due-dates.ts';
import type { Rule } from '../anomalies/rule-file.ts';
import { loadModel } from '../identity/model/model-file.ts';
import { withWeights } from '../identity/model/weights.ts';
import type { NightQueue } from '../jobs/queue.ts';
import type { Environment } from '../schema/configuration/environment.ts';
import type { Configuration } from '../schema/configuration/load.ts';
import { PopshareError } from '../schema/errors.ts';
import type { Warehouse } from '../schema/warehouse/connect.ts';
import { checkSecrets, sealingKey } from './accounts/sealed.ts';
import { newSetUpSecret } from './accounts/set-up.ts';
import { publicAddress } from './public-address.ts';
import { buildServer } from './server.ts';

/** A server that answers. */
export interface RunningServer {
  /** Such as http://127.0.0.1:8080 */
  readonly url: string;
  /** By which the first administrator makes an account; null when there is an account. A secret: for the operator's eyes. */
  readonly setUpLink: string | null;
  /** Takes no more requests, and waits for those under way. */
  close(): Promise<void>;
}

/**
 * Starts the HTTP server where `server:` of popshare.yaml says.
 *
 * @throws PORT_IN_USE, SECRET_KEY, and the CONFIG_ and MODEL_ codes of what it reads
 */
export async function startServer(
  session: {
    readonly environment: Environment;
    readonly configuration: Configuration;
    readonly rules: readonly Rule[];
    readonly warehouse: Warehouse;
  },
  queue: NightQueue,
): Promise<RunningServer> {
  const { configuration, warehouse } = session;
  await checkSecrets(warehouse.db, sealingKey(session.environment));
  const { port } = configuration.settings.server;
  const host = session.environment.host ?? configuration.settings.server.host;
  const server = await buildServer({
    ...session,
    engine: warehouse,
    queue,
    model: withWeights(await loadModel('persons', configuration.folder)),
    dueDates: await loadDueDates(configuration),
  });
  try {
    await server.listen({ host, port });
  } catch (error) {
    await server.close();
    throw new PopshareError('PORT_IN_USE', `the server cannot listen on ${host}, port ${port}`, {
      cause: error,
    });
  }
  const secret = await newSetUpSecret(warehouse);
  return {
    url: urlOf(server.server.address()),
    // Behind the #, browsers keep it to themselves: it comes into no log on the way.
    setUpLink: secret === null ? null : `${publicAddress(configuration.settings)}/set-up#${secret}`,
    close: () => server.close(),
  };
}

function urlOf(address: string | AddressInfo | null): string {
  if (address === null || typeof address === 'string') return String(address);
  const host = address.family === 'IPv6' ? `[${address.address}]` : address.address;
  return `http://${host}:${address.port}`;
}
