import path from 'node:path';
import { Kysely, PostgresDialect } from 'kysely';
import pg from 'pg';
import type { DB } from '../database.ts';
import { PopshareError } from '../errors.ts';
import { startEmbedded } from './embedded.ts';

/** Whatever takes statements: the warehouse itself, or what one session may see of it (src/server/scope.ts). */
export interface Queryable {
  readonly db: Kysely<DB>;
}

/** An open warehouse: Kysely for statements, the pool itself for COPY and session locks. */
export interface Warehouse extends Queryable {
  readonly pool: pg.Pool;
  readonly url: string;
  close(): Promise<void>;
  /** Closes at once: statements under way are ended and rolled back. For a process that is asked to stop. */
  abort(): Promise<void>;
}

/** The oldest server that has what the statements use (MERGE, UNIQUE NULLS NOT DISTINCT). */
const OLDEST_SERVER = 150_000;

const INT8 = 20;
const DATE = 1082;

/** Whole numbers stay numbers (ids are far below 2^53), and a date stays the text YYYY-MM-DD, without a time zone. */
export function typeParsers(): pg.CustomTypesConfig {
  const parsers = new pg.TypeOverrides();
  parsers.setTypeParser(INT8, Number);
  parsers.setTypeParser(DATE, String);
  return parsers;
}

/**
 * Opens the warehouse at `url`, without looking at what is in it.
 *
 * @throws DATABASE_UNREACHABLE, DATABASE_TOO_OLD
 */
export async function openWarehouse(
  url: string,
  beforeClose: () => Promise<void> = async () => {},
): Promise<Warehouse> {
  const pool = new pg.Pool({
    connectionString: url,
    max: 8,
    types: typeParsers(),
    application_name: 'popshare',
  });
  // A pooled connection that breaks while idle is replaced at the next use; without a listener it would end the process.
  pool.on('error', () => {});
  const backends = new Set<number>();
  pool.on('connect', (client) => {
    backends.add(processIdOf(client));
    // A connection in use that breaks fails its statement; the event says nothing more.
    client.on('error', () => {});
  });
  try {
    const { rows } = await pool.query<{ version: number }>(
      "SELECT current_setting('server_version_num')::int AS version",
    );
    const version = rows[0]?.version ?? 0;
    if (version < OLDEST_SERVER) {
      throw new PopshareError('DATABASE_TOO_OLD', `the server is Postgres ${Math.floor(version / 10_000)}`);
    }
  } catch (error) {
    await pool.end();
    await beforeClose();
    if (error instanceof PopshareError) throw error;
    throw new PopshareError(
      'DATABASE_UNREACHABLE',
      `no answer from ${withoutPassword(url)}: ${reasonOf(error)}`,
      {
        cause: error,
      },
    );
  }
  const db = new Kysely<DB>({ dialect: new PostgresDialect({ pool }) });
  const close = async (): Promise<void> => {
    await db.destroy();
    await beforeClose();
  };
  return {
    db,
    pool,
    url,
    close,
    abort: async () => {
      await endBackends(url, [...backends]);
      await close();
    },
  };
}

/** The server's process behind a connection; node-postgres knows it, its types do not say so. */
function processIdOf(client: pg.PoolClient): number {
  return 'processID' in client ? Number(client.processID) : 0;
}

/** A pool waits for its statements when it ends; the server can end them instead. */
async function endBackends(url: string, processIds: readonly number[]): Promise<void> {
  const client = new pg.Client({ connectionString: url, application_name: 'popshare' });
  try {
    await client.connect();
    await client.query('SELECT pg_terminate_backend(pid) FROM unnest($1::int[]) AS pid', [processIds]);
  } catch {
    // The server is gone already, and its statements with it.
  } finally {
    await client.end().catch(() => {});
  }
}

/**
 * Opens the warehouse that the environment names: the server at DATABASE_URL, or the embedded one in the data folder.
 *
 * @throws DATABASE_UNREACHABLE, DATABASE_TOO_OLD, and the EMBEDDED_ codes
 */
export async function openConfiguredWarehouse(environment: {
  databaseUrl: string | undefined;
  dataFolder: string;
}): Promise<Warehouse> {
  if (environment.databaseUrl !== undefined) return openWarehouse(environment.databaseUrl);
  const server = await startEmbedded({ folder: path.join(environment.dataFolder, 'postgres') });
  return openWarehouse(server.url, () => server.stop());
}

function withoutPassword(url: string): string {
  const parsed = URL.parse(url);
  return parsed === null ? 'the database' : `${parsed.hostname}:${parsed.port || '5432'}${parsed.pathname}`;
}

function reasonOf(error: unknown): string {
  if (error instanceof AggregateError) return error.errors.map(reasonOf).join('; ');
  return error instanceof Error ? error.message : String(error);
}
