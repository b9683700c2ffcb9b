import { Kysely, PostgresDialect, sql } from 'kysely';
import pg from 'pg';
import type { DB } from '../schema/database.ts';
import { type Queryable, typeParsers } from '../schema/warehouse/connect.ts';

/** Roles of migration 0021: masked values, or the values themselves; of rows in scope, both. */
type ServerRole = 'popshare_app' | 'popshare_export';

/** Connections that see what the session whose token they bear may see, and nothing else. */
export interface ScopedConnections {
  /** Does some work on one connection, under row-level security for the session of `token`. */
  as<Result>(token: string, work: (scoped: Queryable) => Promise<Result>): Promise<Result>;
  close(): Promise<void>;
}

/**
 * Opens connections of a role with the least rights.
 *
 * @param url of the warehouse; its user must be the role, or a member of it
 * @param most connections at the same time
 */
export function openScoped(url: string, role: ServerRole, most: number): ScopedConnections {
  const pool = new pg.Pool({
    connectionString: url,
    max: most,
    types: typeParsers(),
    application_name: `popshare server ${role}`,
    // Pages are small; what the scope asks makes them look large to the planner, and compiling them takes longer than they do.
    options: `-c role=${role} -c jit=off`,
  });
  // A connection that breaks while idle is replaced at its next use; one in use fails its statement.
  pool.on('error', () => {});
  pool.on('connect', (client) => client.on('error', () => {}));
  const all = new Kysely<DB>({ dialect: new PostgresDialect({ pool }) });
  return {
    // Whoever had the connection before left a token on it; nobody reads anything before there is another.
    as: (token, work) =>
      all.connection().execute(async (db) => {
        await sql`SELECT set_config('popshare.session', ${token}, false)`.execute(db);
        return work({ db });
      }),
    close: () => all.destroy(),
  };
}
