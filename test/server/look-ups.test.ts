import { expect, test } from 'vitest';
import { useApi } from './api.ts';

const api = useApi({ server: { looks_per_10_minutes: 3 } });

test('whoever looks up too many persons is stopped, told when to come back, and told of, once', async () => {
  const persons = await api.query<{ person_id: number }>(
    'SELECT person_id FROM population.person ORDER BY 1 LIMIT 4',
  );
  const officer = await api.as({ role: 'officer' });
  const look = (id: number) => officer.get(`/api/persons/${id}?purpose=supervision`);
  expect((await look(persons[0]?.person_id ?? 0)).status).toBe(200);
  const match = await officer.post('/api/match', { name: '王强', purpose: 'case' });
  expect(match.status, match.text).toBe(200);
  const unmask = { record: 'profile', field: 'name', purpose: 'case' };
  expect((await officer.post(`/api/persons/${persons[1]?.person_id}/unmask`, unmask)).status).toBe(200);

  const stopped = [
    await look(persons[2]?.person_id ?? 0),
    await officer.post('/api/match', { name: '李娜', purpose: 'case' }),
  ];
  for (const answer of stopped) {
    expect(answer.body).toMatchObject({ status: 429, code: 'TOO_MANY_LOOKS' });
    expect(Number(answer.headers['retry-after'])).toBeGreaterThan(500);
    expect(Number(answer.headers['retry-after'])).toBeLessThanOrEqual(600);
  }
  expect(
    await api.query(
      `SELECT action, count(*) FROM audit.entry WHERE actor = '${officer.name}' GROUP BY 1 ORDER BY 1`,
    ),
  ).toEqual([
    { action: 'alert', count: 1 },
    { action: 'look', count: 1 },
    { action: 'match', count: 1 },
    { action: 'unmask', count: 1 },
  ]);
  expect(
    await api.query(`SELECT payload ->> 'account' AS account FROM ops.notice WHERE kind = 'bulk_look_ups'`),
  ).toEqual([{ account: officer.name }]);
  // Cases are looked at as before, and so does everybody else.
  const [{ anomaly_id } = { anomaly_id: 0 }] = await api.query<{ anomaly_id: number }>(
    `SELECT min(anomaly_id) AS anomaly_id FROM anomalies.anomaly WHERE severity <> 'info'`,
  );
  expect((await officer.get(`/api/anomalies/${anomaly_id}`)).status).toBe(200);
  const other = await api.as({ role: 'officer' });
  expect((await other.get(`/api/persons/${persons[2]?.person_id}?purpose=case`)).status).toBe(200);
});

test('of many at the same time, no more get through', async () => {
  const persons = await api.query<{ person_id: number }>(
    'SELECT person_id FROM population.person ORDER BY 1 LIMIT 12',
  );
  const officer = await api.as({ role: 'officer' });
  const answers = await Promise.all(
    persons.map(({ person_id }) => officer.get(`/api/persons/${person_id}?purpose=case`)),
  );
  expect(answers.filter(({ status }) => status === 200)).toHaveLength(3);
  expect(answers.filter(({ status }) => status === 429)).toHaveLength(9);
  expect(
    await api.query(`SELECT count(*) FROM audit.entry WHERE actor = '${officer.name}' AND action = 'alert'`),
  ).toEqual([{ count: 1 }]);
});
