import { sql } from 'kysely';
import { stuckNotices } from '../../jobs/notices/overview.ts';
import type { Environment } from '../../schema/configuration/environment.ts';
import type { Warehouse } from '../../schema/warehouse/connect.ts';
import { requireMigrated } from '../../schema/warehouse/migrate.ts';
import { checkSecrets, sealingKey } from '../../server/accounts/sealed.ts';
import { type Check, failed, ok, problem, warning } from './check.ts';

/** Seconds by which the clocks of the server and of this machine may differ. */
const CLOCK_SECONDS = 5;
/** Roles that migrations make, and that the connection must be able to take. */
const ROLES = ['popshare_reader', 'popshare_app', 'popshare_export'];
/** Under these, failed statements and their values stay out of the server's log. */
const QUIET_LOG = { log_min_error_statement: ['panic'], log_parameter_max_length_on_error: ['0'] };

/** Looks at the server, at what the warehouse is made of, and at what waits in it. */
export async function checkWarehouse(
  warehouse: Warehouse,
  environment: Environment,
  now: Date,
): Promise<Check[]> {
  const checks = [
    await checkServer(warehouse),
    await checkClock(warehouse, now),
    ...(await checkSettings(warehouse)),
  ];
  try {
    await requireMigrated(warehouse);
  } catch (error) {
    return [...checks, failed('migrations', error)];
  }
  return [
    ...checks,
    ok('migrations', 'of this version'),
    await checkExtension(warehouse),
    await checkRoles(warehouse),
    await checkMaskedViews(warehouse),
    await checkAuthenticators(warehouse, environment),
    ...(await checkWork(warehouse)),
  ];
}

async function checkServer({ db }: Warehouse): Promise<Check> {
  const { rows } = await sql<{ version: string; size: string }>`
    SELECT current_setting('server_version') AS version, pg_size_pretty(pg_database_size(current_database())) AS size`.execute(
    db,
  );
  return ok('database', `Postgres ${rows[0]?.version}, ${rows[0]?.size}`);
}

async function checkClock({ db }: Warehouse, now: Date): Promise<Check> {
  const { rows } = await sql<{ seconds: number }>`
    SELECT abs(extract(epoch FROM clock_timestamp() - ${now}::timestamptz))::float8 AS seconds`.execute(db);
  const seconds = rows[0]?.seconds ?? 0;
  return seconds <= CLOCK_SECONDS
    ? ok('clock', 'the server and this machine agree')
    : problem('clock', `${Math.round(seconds)} s apart from the server`, 'Let NTP set both clocks.');
}

async function checkSettings({ db }: Warehouse): Promise<Check[]> {
  const { rows } = await sql<{ name: string; setting: string }>`
    SELECT name, setting FROM pg_settings WHERE name IN ('TimeZone', 'server_encoding', ${sql.join(Object.keys(QUIET_LOG))})`.execute(
    db,
  );
  const settingOf = (name: string): string => rows.find((row) => row.name === name)?.setting ?? '';
  const loud = Object.entries(QUIET_LOG).filter(([name, quiet]) => !quiet.includes(settingOf(name)));
  return [
    settingOf('server_encoding') === 'UTF8'
      ? ok('encoding', 'UTF8')
      : problem(
          'encoding',
          settingOf('server_encoding'),
          'Make the database anew with ENCODING UTF8 and restore.',
        ),
    /^(Asia\/(Shanghai|Chongqing|Harbin)|PRC)$/.test(settingOf('TimeZone'))
      ? ok('time zone', settingOf('TimeZone'))
      : warning('time zone', settingOf('TimeZone'), "ALTER DATABASE … SET timezone = 'Asia/Shanghai'"),
    loud.length === 0
      ? ok('server log', 'keeps values out')
      : warning(
          'server log',
          `may quote personal data: ${loud.map(([name]) => `${name} = ${settingOf(name)}`).join(', ')}`,
          'Set what docker-compose.yml sets for Postgres.',
        ),
  ];
}

async function checkExtension({ db }: Warehouse): Promise<Check> {
  const { rows } = await sql`SELECT FROM pg_extension WHERE extname = 'fuzzystrmatch'`.execute(db);
  return rows.length > 0
    ? ok('extensions', 'fuzzystrmatch')
    : problem('extensions', 'fuzzystrmatch is gone', 'CREATE EXTENSION fuzzystrmatch SCHEMA public');
}

async function checkRoles({ db }: Warehouse): Promise<Check> {
  const { rows } = await sql<{ role: string }>`
    SELECT role FROM unnest(${ROLES}::text[]) AS role
    WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = role)
       OR NOT pg_has_role(current_user, (SELECT oid FROM pg_roles WHERE rolname = role), 'MEMBER')`.execute(
    db,
  );
  const lacking = rows.map(({ role }) => role).join(', ');
  return lacking === ''
    ? ok('roles', ROLES.join(', '))
    : problem('roles', `missing, or not granted: ${lacking}`, 'As in docs/operations.md, Restore: roles.');
}

/** A restore without owners makes them the owner's of the tables, who is shown every row. */
async function checkMaskedViews({ db }: Warehouse): Promise<Check> {
  const { rows } = await sql<{ view: string }>`
    SELECT viewname AS view FROM pg_views WHERE schemaname = 'masked' AND viewowner <> 'popshare_export'`.execute(
    db,
  );
  const views = rows.map(({ view }) => `masked.${view}`);
  return views.length === 0
    ? ok('masked views', 'under row-level security')
    : problem(
        'masked views',
        `not under row-level security: ${views.join(', ')}`,
        `As superuser: ${views.map((view) => `ALTER VIEW ${view} OWNER TO popshare_export;`).join(' ')}`,
      );
}

/** Without the key that they are kept under, nobody who has an authenticator can sign in. */
async function checkAuthenticators({ db }: Warehouse, environment: Environment): Promise<Check> {
  try {
    const bare = await checkSecrets(db, sealingKey(environment));
    return bare === 0
      ? ok('authenticators', 'no secret stands as it is')
      : warning(
          'authenticators',
          `the secrets of ${bare} stand as they are, in backups too`,
          'Set POPSHARE_SECRET_KEY (docs/accounts.md); each is sealed when it is used next.',
        );
  } catch (error) {
    return failed('authenticators', error);
  }
}

/** Nothing of this keeps anything from working: it is what somebody has to decide, or to look at. */
async function checkWork(warehouse: Warehouse): Promise<Check[]> {
  const { rows } = await sql<{ held: number; status: string | null; date: string | null }>`
    SELECT (SELECT count(*) FROM ops.delivery WHERE status = 'held') AS held, last.status, last.business_date AS date
    FROM (SELECT 1) one LEFT JOIN (
      SELECT status, business_date FROM ops.run WHERE purpose IN ('nightly', 'backfill') AND status <> 'running'
      ORDER BY run_id DESC LIMIT 1) last ON true`.execute(warehouse.db);
  const { held = 0, status = null, date = null } = rows[0] ?? {};
  const stuck = await stuckNotices(warehouse);
  return [
    held === 0
      ? ok('held deliveries', 'none')
      : warning('held deliveries', String(held), '`npx popshare deliveries list --status held`'),
    status === null || status === 'done'
      ? ok('last night', date === null ? 'none yet' : `${date} done`)
      : warning(
          'last night',
          `${date} ${status}`,
          `\`npx popshare status\`; \`npx popshare nightly --date ${date}\``,
        ),
    stuck.length === 0
      ? ok('notices', 'none is stuck')
      : warning('notices', `${stuck.length} do not get through`, '`npx popshare notices list --waiting`'),
  ];
}
