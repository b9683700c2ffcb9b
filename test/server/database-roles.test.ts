import { randomBytes } from 'node:crypto';
import pg from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { CONTRACTS } from '../../src/schema/contracts/index.ts';
import { useApi } from './api.ts';

const api = useApi();

/** Whoever has the password of one of the roles of the warehouse that are not its owner. */
const ROLES = ['popshare_app', 'popshare_export', 'popshare_reader'] as const;
type Role = (typeof ROLES)[number];
const SERVER = ['popshare_app', 'popshare_export'] as const;
const logins = new Map<Role, { readonly name: string; readonly url: string }>();

beforeAll(async () => {
  await keepFew();
  for (const role of ROLES) {
    const [name, password] = [`test_${randomBytes(8).toString('hex')}`, randomBytes(16).toString('hex')];
    await api.query(`CREATE ROLE ${name} LOGIN PASSWORD '${password}' IN ROLE ${role}`);
    const url = new URL(api.warehouse.url);
    [url.username, url.password] = [name, password];
    logins.set(role, { name, url: url.href });
  }
});

afterAll(async () => {
  for (const { name } of logins.values()) await api.query(`DROP ROLE ${name}`);
});

/** Of the sample, a few hundred persons with all that is known of them: whoever sees nobody is asked about each one. */
async function keepFew(): Promise<void> {
  const tables = await api.query<{ name: string }>(`
    SELECT format('%I.%I', c.table_schema, c.table_name) AS name FROM information_schema.columns c
    JOIN information_schema.tables t USING (table_schema, table_name)
    WHERE c.column_name = 'person_id' AND t.table_type = 'BASE TABLE' AND c.table_name <> 'anomaly'`);
  for (const { name } of tables) await api.query(`DELETE FROM ${name} WHERE person_id > 300`);
  await api.query(
    'DELETE FROM identity.mention WHERE mention_id NOT IN (SELECT mention_id FROM identity.link)',
  );
  for (const { feed } of CONTRACTS)
    await api.query(
      `DELETE FROM registry.${feed} WHERE source_key NOT IN (SELECT source_key FROM identity.mention WHERE feed = $1)`,
      [feed],
    );
}

/** Connects as somebody with the role, and tries. */
async function trying<Result>(
  role: Role,
  token: string,
  attempt: (query: (statement: string) => Promise<Record<string, unknown>[]>) => Promise<Result>,
): Promise<Result> {
  const client = new pg.Client({ connectionString: logins.get(role)?.url ?? '' });
  await client.connect();
  try {
    await client.query(`SELECT set_config('popshare.session', $1, false)`, [token]);
    return await attempt(async (statement) => (await client.query(statement)).rows);
  } finally {
    await client.end();
  }
}

/** Every relation of which a role may do something. */
async function relationsFor(role: Role, rights: string): Promise<string[]> {
  const rows = await api.query<{ name: string }>(
    `SELECT format('%I.%I', n.nspname, c.relname) AS name FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
     WHERE n.nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast') AND c.relkind IN ('r', 'p', 'v', 'm', 'f')
       AND has_schema_privilege($1, n.oid, 'USAGE')
       AND (has_table_privilege($1, c.oid, $2) OR ($2 <> 'DELETE' AND has_any_column_privilege($1, c.oid, $2)))
     ORDER BY 1`,
    [role, rights],
  );
  return rows.map(({ name }) => name);
}

/** What is the same for everybody: states of the nights, codes, and what is published with small figures suppressed. */
const OF_NOBODY = [
  'anomalies.night',
  'anomalies.rule_state',
  'identity.state',
  'population.state',
  'reference.area_code',
  'reference.division',
  'reference.feed',
  'reference.loaded',
  'reference.lunar_date',
  'reporting.indicator',
  'reporting.scorecard',
];
/** When a night was, and how it ended. */
const NIGHTS = ['ops.run', 'ops.step'];

/** The relations of which somebody sees any row. */
const seenBy = async (role: Role, token: string): Promise<string[]> => {
  const relations = await relationsFor(role, 'SELECT');
  expect(relations.length).toBeGreaterThan(50);
  return trying(role, token, async (query) => {
    const seen: string[] = [];
    for (const name of relations)
      if ((await query(`SELECT FROM ${name} LIMIT 1`)).length > 0) seen.push(name);
    return seen;
  });
};

test.each(SERVER)('%s without a session reads no row but what is the same for everybody', async (role) => {
  for (const token of ['', 'a-token-that-nobody-has']) {
    const seen = await seenBy(role, token);
    expect(seen.filter((name) => !OF_NOBODY.includes(name))).toEqual([]);
  }
});

test.each(SERVER)('%s for somebody in whose scope nothing is reads no row of a scope', async (role) => {
  for (const scope of [{ division: '110101' }, { department: 'no-such-department' }]) {
    const { token } = await api.as({ role: 'supervisor', ...scope });
    const shown = (name: string): boolean => OF_NOBODY.includes(name) || NIGHTS.includes(name);
    const ofPlaces = 'department' in scope ? [] : ['ops.delivery', 'ops.feed_state'];
    const seen = await seenBy(role, token);
    expect(seen.filter((name) => !shown(name) && !ofPlaces.includes(name))).toEqual([]);
  }
});

test.each(SERVER)('%s counts the cases of a scope, and no others', async (role) => {
  const [town] = await api.query<{ town: string; cases: number }>(`
    SELECT town, count(*) AS cases FROM anomalies.anomaly WHERE town ~ '^620802[1-9]' GROUP BY town ORDER BY 2 DESC LIMIT 1`);
  const scopes = [
    { scope: { division: town?.town ?? '' }, where: `town = '${town?.town}'`, books: ['tally_town'] },
    { scope: { division: '620802' }, where: `county = '620802'`, books: ['tally', 'tally_town'] },
    {
      scope: { department: 'housing' },
      where: `'housing' IN (department, returned_to)`,
      books: ['tally', 'tally_town'],
    },
    { scope: { division: `${town?.town}001` }, where: 'false', books: ['tally', 'tally_town'] },
  ];
  for (const { scope, where, books } of scopes) {
    const [truly] = await api.query<{ cases: number }>(
      `SELECT count(*) AS cases FROM anomalies.anomaly WHERE ${where}`,
    );
    const { token } = await api.as({ role: 'officer', ...scope });
    for (const book of books) {
      const counted = await trying(role, token, (query) =>
        query(`SELECT coalesce(sum(cases), 0)::bigint AS cases FROM anomalies.${book}`),
      );
      expect(counted.map(({ cases }) => Number(cases))).toEqual([truly?.cases]);
    }
  }
});

test.each([
  'UPDATE anomalies.tally_book SET cases = 0',
  `INSERT INTO anomalies.tally_book SELECT * FROM anomalies.tally_book`,
  'DELETE FROM anomalies.tally_move',
  'SELECT FROM anomalies.tally_group',
  'SELECT summary FROM ops.run',
])('the server’s roles may not: %s', async (statement) => {
  const { token } = await api.as({ role: 'supervisor' });
  for (const role of SERVER)
    await expect(trying(role, token, (query) => query(statement))).rejects.toThrow(/denied/);
});

test.each(SERVER)('%s hears of a run what the scope covers', async (role) => {
  const told = async (scope: { division?: string; department?: string }) => {
    const { token } = await api.as({ role: 'officer', ...scope });
    const [report] = await trying(role, token, (query) =>
      query(
        `SELECT ops.run_report(run_id) AS of FROM ops.run WHERE purpose = 'nightly' ORDER BY run_id LIMIT 1`,
      ),
    );
    return report?.['of'];
  };
  const everything = await told({});
  expect(everything).toMatchObject({ anomalies: expect.anything(), identity: expect.anything() });
  const ofPlace = await told({ division: '620802' });
  expect(ofPlace).toMatchObject({ status: 'done', deliveries: expect.arrayContaining([expect.anything()]) });
  expect(ofPlace).not.toHaveProperty('anomalies');
  expect(ofPlace).not.toHaveProperty('identity');
  const ofHousing = await told({ department: 'housing' });
  expect(ofHousing).toMatchObject({ deliveries: [{ department: 'housing' }, { department: 'housing' }] });
  expect(ofHousing).not.toHaveProperty('anomalies');
});

test('a dashboard reads the reporting views, and may do nothing else', async () => {
  const readable = await relationsFor('popshare_reader', 'SELECT');
  expect(readable.length).toBeGreaterThan(8);
  for (const name of readable) expect(name).toMatch(/^reporting\./);
  for (const right of ['INSERT', 'UPDATE', 'DELETE'])
    expect(await relationsFor('popshare_reader', right)).toEqual([]);
});

/** Where the figures stand from which suppressed ones could be read, or added up. */
const TRUE_FIGURES = [
  'population.indicator_value',
  'population.indicator_period',
  'population.feed_quality',
  'population.residence_count',
  'population.resident_estimate',
];

test.each(ROLES)('%s sees no suppressed figure', async (role) => {
  const { token } = await api.as({ role: 'supervisor' });
  const [hidden] = await api.query<{ cells: number }>(
    'SELECT count(*) AS cells FROM population.indicator_value WHERE suppressed AND value IS NOT NULL',
  );
  expect(hidden?.cells).toBeGreaterThan(0);
  for (const name of TRUE_FIGURES)
    await expect(trying(role, token, (query) => query(`SELECT * FROM ${name}`))).rejects.toThrow('denied');
  const figures =
    'SELECT * FROM reporting.indicator WHERE suppressed AND num_nonnulls(value, numerator, denominator) > 0';
  const read = trying(role, token, (query) => query(figures));
  if (role === 'popshare_export') await expect(read).rejects.toThrow('denied');
  else expect(await read).toEqual([]);
});

test.each([
  'SELECT FROM audit.entry',
  'SELECT FROM audit.head',
  'INSERT INTO audit.entry SELECT * FROM audit.entry',
  'UPDATE audit.entry SET actor = actor',
  'UPDATE audit.head SET entry_id = 0',
  'DELETE FROM audit.entry',
  'TRUNCATE audit.entry',
  'ALTER TABLE audit.entry ADD COLUMN x integer',
  'DROP TABLE audit.entry',
  'CREATE TRIGGER x BEFORE INSERT ON audit.entry EXECUTE FUNCTION suppress_redundant_updates_trigger()',
  "SELECT audit.append_as('somebody else', 'look', NULL, NULL, '{}')",
  'CREATE OR REPLACE FUNCTION audit.append(actor text, action text, subject text, purpose text, detail jsonb) RETURNS bigint LANGUAGE sql AS $$ SELECT 1 $$',
  'SET SESSION AUTHORIZATION popshare',
  "SELECT set_config('session_replication_role', 'replica', false)",
])('none of the roles may: %s', async (statement) => {
  const { token } = await api.as({ role: 'supervisor' });
  for (const role of ROLES)
    await expect(trying(role, token, (query) => query(statement))).rejects.toThrow(/denied|must be owner/);
});
