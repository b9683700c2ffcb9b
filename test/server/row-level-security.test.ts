import { expect, test } from 'vitest';
import { openScoped } from '../../src/server/scope.ts';
import { useApi } from './api.ts';

const api = useApi();

/** Runs a statement in one of the server's roles, with whatever token. */
async function attack(role: 'popshare_app' | 'popshare_export', token: string, statement: string) {
  const connections = openScoped(api.warehouse.url, role, 1);
  try {
    return await connections.as(token, async ({ db }) => {
      const { CompiledQuery } = await import('kysely');
      return (await db.executeQuery<Record<string, unknown>>(CompiledQuery.raw(statement))).rows;
    });
  } finally {
    await connections.close();
  }
}

const SCOPED = [
  'anomalies.anomaly',
  'anomalies.anomaly_event',
  'identity.link',
  'identity.review',
  'masked.person',
  'masked.mention',
  'masked.household_register',
  'population.residence',
];

test.each(SCOPED)('without a session, the server’s role sees no row of %s', async (table) => {
  expect(await attack('popshare_app', '', `SELECT FROM ${table} LIMIT 1`)).toEqual([]);
  expect(await attack('popshare_app', 'a-token-that-nobody-has', `SELECT FROM ${table} LIMIT 1`)).toEqual([]);
});

test.each(SCOPED)('a viewer’s session sees no row of %s', async (table) => {
  const { token } = await api.as({ role: 'viewer' });
  expect(await attack('popshare_app', token, `SELECT FROM ${table} LIMIT 1`)).toEqual([]);
});

test('of the values of a person, the server’s role sees masked ones alone', async () => {
  const { token } = await api.as({ role: 'officer' });
  const [person] = await attack(
    'popshare_app',
    token,
    'SELECT * FROM masked.person WHERE id_number IS NOT NULL LIMIT 1',
  );
  expect(person).toMatchObject({
    id_number: expect.stringMatching(/^\d{4}\*+[\dX]{4}$/),
    name: expect.stringMatching(/^.\*/),
  });
  for (const column of ['id_given', 'id_number', 'name', 'phone', 'address', 'birth_date'])
    await expect(
      attack('popshare_app', token, `SELECT ${column} FROM identity.mention LIMIT 1`),
    ).rejects.toThrow('denied');
  await expect(attack('popshare_app', token, 'SELECT fields FROM ops.rejected_row LIMIT 1')).rejects.toThrow(
    'denied',
  );
  await expect(
    attack('popshare_app', token, 'SELECT * FROM registry.household_register LIMIT 1'),
  ).rejects.toThrow('denied');
  await expect(attack('popshare_app', token, 'SELECT * FROM population.person LIMIT 1')).rejects.toThrow(
    'denied',
  );
});

test('an officer of a township sees persons of the township, whatever is asked', async () => {
  const { token } = await api.as({ role: 'officer', division: '620802001' });
  const rows = await attack(
    'popshare_export',
    token,
    `SELECT count(*) AS seen, count(*) FILTER (WHERE access.sees_person(person_id)) AS own FROM population.person`,
  );
  const [all] = await api.query<{ persons: number; inside: number }>(`
    SELECT count(*) AS persons, count(*) FILTER (WHERE registered_division LIKE '620802001%') AS inside FROM population.person`);
  const seen = Number(rows[0]?.['seen']);
  expect(seen).toBe(Number(rows[0]?.['own']));
  expect(seen).toBeGreaterThanOrEqual(all?.inside ?? 0);
  expect(seen).toBeLessThan((all?.persons ?? 0) / 2);
});

test.each([
  'SELECT FROM access.account',
  'SELECT FROM access.session',
  'SELECT FROM reporting.link',
  'SELECT FROM reporting.anomaly',
  'DELETE FROM anomalies.anomaly',
  'UPDATE identity.link SET person_id = 1',
  'ALTER TABLE anomalies.anomaly DISABLE ROW LEVEL SECURITY',
  'CREATE TABLE anomalies.mine (x integer)',
])('neither of the server’s roles may: %s', async (statement) => {
  const { token } = await api.as({ role: 'supervisor' });
  for (const role of ['popshare_app', 'popshare_export'] as const)
    await expect(attack(role, token, statement)).rejects.toThrow(/denied|must be owner/);
});

test('the log has the name of the session, whatever name is given', async () => {
  const { token, name } = await api.as({ role: 'officer' });
  await attack('popshare_app', token, `SELECT audit.append('somebody else', 'look', 'person 1', NULL, '{}')`);
  const [entry] = await api.query('SELECT actor FROM audit.entry ORDER BY entry_id DESC LIMIT 1');
  expect(entry).toEqual({ actor: name });
  await expect(
    attack('popshare_app', '', `SELECT audit.append('somebody', 'look', 'person 1', NULL, '{}')`),
  ).rejects.toThrow('must be signed in');
});

test('a case outside the scope is not changed, and none is moved out of it', async () => {
  const { token } = await api.as({ role: 'supervisor', division: '620802001' });
  await attack(
    'popshare_app',
    token,
    `UPDATE anomalies.anomaly SET owner = NULL WHERE division LIKE '620802002%'`,
  );
  await expect(
    attack(
      'popshare_app',
      token,
      `UPDATE anomalies.anomaly SET division = '620802002001' WHERE division LIKE '620802001%'`,
    ),
  ).rejects.toThrow('row-level security');
});
