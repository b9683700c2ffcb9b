import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { sql } from 'kysely';
import { afterAll, beforeAll, inject } from 'vitest';
import { loadDueDates } from '../../src/anomalies/queue/due-dates.ts';
import { loadRules } from '../../src/anomalies/rule-file.ts';
import { loadModel } from '../../src/identity/model/model-file.ts';
import { withWeights } from '../../src/identity/model/weights.ts';
import { runNight } from '../../src/jobs/nightly.ts';
import { connectQueue, type NightQueue } from '../../src/jobs/queue.ts';
import { readEnvironment } from '../../src/schema/configuration/environment.ts';
import { loadConfiguration } from '../../src/schema/configuration/load.ts';
import type { Settings } from '../../src/schema/configuration/settings.ts';
import { openWarehouse, type Warehouse } from '../../src/schema/warehouse/connect.ts';
import type { Role } from '../../src/server/access.ts';
import { hashOf, newSecret } from '../../src/server/accounts/secrets.ts';
import { openSession } from '../../src/server/accounts/sessions.ts';
import { csrfTokenOf, SESSION_COOKIE } from '../../src/server/authentication.ts';
import type { Server } from '../../src/server/context.ts';
import { buildServer } from '../../src/server/server.ts';
import { createWarehouse } from '../support/warehouse.ts';

/** The district's first night of the shipped sample; the server answers for it. */
export const DATE = '2026-11-18';
const TEMPLATE = 'popshare_sample_night';

/** Whoever asks: role and scope. */
export interface Caller {
  readonly role: Role;
  readonly division?: string | null;
  readonly department?: string | null;
  readonly name?: string;
}

export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, unknown>>;
  readonly text: string;
  readonly bytes: Buffer;
  /** The body as JSON; null when there is none. */
  readonly body: unknown;
  /** What stands at a path of the body, such as `items.0.anomaly_id`. */
  at(path: string): unknown;
}

/** Somebody who is signed in. */
export interface Client {
  readonly name: string;
  readonly token: string;
  request(
    method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE',
    url: string,
    options?: { body?: unknown; headers?: Readonly<Record<string, string>> },
  ): Promise<Answer>;
  get(url: string): Promise<Answer>;
  post(url: string, body?: unknown, headers?: Readonly<Record<string, string>>): Promise<Answer>;
}

/** A server on a warehouse of its own, which has the first night of the sample, or is empty. */
export function useApi(
  options: {
    readonly empty?: true;
    readonly server?: Partial<Settings['server']>;
    readonly environment?: Readonly<Record<string, string>>;
  } = {},
) {
  let opened: { server: Server; warehouse: Warehouse; queue: NightQueue; data: string } | undefined;
  let callers = 0;
  const api = () => {
    if (opened === undefined) throw new Error('the server is up only inside tests');
    return opened;
  };

  beforeAll(async () => {
    if (!options.empty) await makeTemplate();
    const warehouse = await createWarehouse(options.empty ? undefined : TEMPLATE);
    const queue = await connectQueue({ databaseUrl: warehouse.url, redisUrl: undefined });
    const data = await mkdtemp(path.join(tmpdir(), 'popshare-api-'));
    opened = { warehouse, queue, data, server: await serve(warehouse, queue, data, options) };
  }, 240_000);
  afterAll(async () => {
    await opened?.server.close();
    await opened?.queue.close();
    await opened?.warehouse.close();
    if (opened !== undefined) await rm(opened.data, { recursive: true, force: true });
  });

  /** Signs somebody in: a person with the cookie of a session, a system with a token. */
  async function as({ role, division = null, department = null, name }: Caller): Promise<Client> {
    callers += 1;
    const called = name ?? `${role}-${callers}`;
    if (role === 'department' || role === 'dashboard') {
      const token = newSecret();
      await sql`
        INSERT INTO access.service_token (token_hash, name, role, department, created_by, expires_at)
        VALUES (${hashOf(token)}, ${called}, ${role}, ${department}, 'test', now() + interval '1 day')`.execute(
        api().warehouse.db,
      );
      return client(`token:${called}`, token, { authorization: `Bearer ${token}` });
    }
    const { rows } = await sql<{ account_id: number }>`
      INSERT INTO access.account (name, display_name, role, division, department)
      VALUES (${called}, ${called}, ${role}, ${division}, ${department}) RETURNING account_id`.execute(
      api().warehouse.db,
    );
    const token = await openSession(api().warehouse.db, rows[0]?.account_id ?? 0, {
      hours: 1,
      idle_minutes: 60,
    });
    return client(called, token, {
      cookie: `${SESSION_COOKIE}=${token}`,
      'x-csrf-token': csrfTokenOf(token),
    });
  }

  function client(name: string, token: string, credentials: Readonly<Record<string, string>>): Client {
    const request: Client['request'] = async (method, url, { body, headers = {} } = {}) => {
      const response = await api().server.inject({
        method,
        url,
        headers: { ...credentials, ...headers },
        ...(body !== undefined && {
          payload: Buffer.isBuffer(body) ? body : JSON.parse(JSON.stringify(body)),
        }),
      });
      const isJson = String(response.headers['content-type'] ?? '').includes('json');
      const answered: unknown = isJson && response.body !== '' ? response.json() : null;
      return {
        status: response.statusCode,
        headers: response.headers,
        text: response.body,
        bytes: response.rawPayload,
        body: answered,
        at: (place) => place.split('.').reduce(inside, answered),
      };
    };
    return {
      name,
      token,
      request,
      get: (url) => request('GET', url),
      post: (url, body, headers = {}) => request('POST', url, { body, headers }),
    };
  }

  return {
    as,
    /** Nobody: without cookie and token. */
    nobody: () => client('nobody', '', {}),
    get server() {
      return api().server;
    },
    get warehouse() {
      return api().warehouse;
    },
    /** Where it keeps what it takes. */
    get dataFolder() {
      return api().data;
    },
    async query<Row>(text: string, values: readonly unknown[] = []): Promise<Row[]> {
      return (await api().warehouse.pool.query(text, [...values])).rows;
    },
  };
}

function inside(value: unknown, key: string): unknown {
  return typeof value === 'object' && value !== null ? Reflect.get(value, key) : undefined;
}

async function serve(
  warehouse: Warehouse,
  queue: NightQueue,
  dataFolder: string,
  options: NonNullable<Parameters<typeof useApi>[0]>,
): Promise<Server> {
  const shipped = await loadConfiguration('config');
  const server = { ...shipped.settings.server, ...options.server };
  const configuration = { ...shipped, settings: { ...shipped.settings, server } };
  return buildServer({
    environment: readEnvironment({
      POPSHARE_CONFIG: 'config',
      POPSHARE_DATA: dataFolder,
      ...options.environment,
    }),
    configuration,
    rules: await loadRules(path.join('config', 'rules')),
    model: withWeights(await loadModel('persons', 'config')),
    dueDates: await loadDueDates(configuration),
    engine: warehouse,
    queue,
  });
}

/** Made once for all files of a run; whoever comes while it is made waits. */
async function makeTemplate(): Promise<void> {
  const admin = await openWarehouse(inject('serverUrl'));
  const session = await admin.pool.connect();
  try {
    await session.query("SELECT pg_advisory_lock(hashtext('popshare.test.template'))");
    const { rows } = await session.query('SELECT FROM pg_database WHERE datname = $1', [TEMPLATE]);
    if (rows.length > 0) return;
    const making = `${TEMPLATE}_making`;
    await session.query(`DROP DATABASE IF EXISTS ${making}`);
    await session.query(`CREATE DATABASE ${making} TEMPLATE popshare_template STRATEGY file_copy`);
    await sampleNight(making);
    await session.query(`ALTER DATABASE ${making} RENAME TO ${TEMPLATE}`);
  } finally {
    session.release(true);
    await admin.close();
  }
}

async function sampleNight(database: string): Promise<void> {
  const url = new URL(inject('serverUrl'));
  url.pathname = `/${database}`;
  const warehouse = await openWarehouse(url.href);
  const folder = await mkdtemp(path.join(tmpdir(), 'popshare-sample-'));
  try {
    await runNight({
      warehouse,
      configuration: await loadConfiguration('config'),
      rules: await loadRules(path.join('config', 'rules')),
      dataFolder: folder,
      dropFolder: path.join('demo', 'deliveries'),
      businessDate: DATE,
      purpose: 'nightly',
      feeds: [],
      progress: { stepBegan() {}, stepEnded() {}, rows() {} },
    });
  } finally {
    await warehouse.close();
    await rm(folder, { recursive: true, force: true });
  }
}
