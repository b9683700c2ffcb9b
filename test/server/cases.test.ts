import { expect, test } from 'vitest';
import { useApi } from './api.ts';

const api = useApi();

test('an officer of the county sees the queue, a page at a time', async () => {
  const officer = await api.as({ role: 'officer', division: '620802' });
  const first = await officer.get('/api/anomalies?limit=5');
  expect(first.status, first.text).toBe(200);
  expect(first.body).toMatchObject({ items: { length: 5 }, next: expect.any(String) });
  const second = await officer.get(`/api/anomalies?limit=5&after=${first.at('next')}`);
  expect(second.at('items.0.anomaly_id')).not.toBe(first.at('items.0.anomaly_id'));
  expect(second.at('counts')).toEqual(first.at('counts'));
});

test('a case is taken as it was seen; whoever saw an older version is told what happened since', async () => {
  const officer = await api.as({ role: 'officer' });
  const id = (await officer.get('/api/anomalies?limit=1')).at('items.0.anomaly_id');
  const seen = await officer.get(`/api/anomalies/${id}`);
  expect(seen.status, seen.text).toBe(200);
  const body = { action: 'assign', reason: 'by_division', owner: officer.name };
  const etag = String(seen.headers['etag']);
  expect((await officer.post(`/api/anomalies/${id}/actions`, body)).status).toBe(428);
  const taken = await officer.post(`/api/anomalies/${id}/actions`, body, { 'if-match': etag });
  expect(taken.status, taken.text).toBe(200);
  expect(taken.body).toMatchObject({ status: 'assigned' });
  const late = await officer.post(`/api/anomalies/${id}/actions`, body, { 'if-match': etag });
  expect(late.status).toBe(412);
  expect(late.body).toMatchObject({ code: 'CASE_CHANGED', since: [{ kind: 'assigned' }] });
});

test('an officer sees the cases of the own division and department, and nothing of others', async () => {
  const everywhere = await api.as({ role: 'officer' });
  const town = await api.as({ role: 'officer', division: '620802001' });
  const page = await town.get('/api/anomalies?limit=200');
  expect(page.status, page.text).toBe(200);
  expect(page.at('items')).not.toHaveLength(0);
  for (const { division } of page.at('items') as { division: string }[])
    expect(division).toMatch(/^620802001/);
  const [outside] = await api.query<{ anomaly_id: number }>(
    `SELECT anomaly_id FROM anomalies.anomaly WHERE NOT division LIKE '620802001%' AND severity <> 'info' LIMIT 1`,
  );
  expect((await everywhere.get(`/api/anomalies/${outside?.anomaly_id}`)).status).toBe(200);
  expect((await town.get(`/api/anomalies/${outside?.anomaly_id}`)).status).toBe(404);
  expect((await town.get('/api/anomalies?division=620802002')).status).toBe(403);
});

test.each(['viewer', 'operator', 'administrator', 'auditor'] as const)('a %s sees no case', async (role) => {
  const client = await api.as({ role });
  expect((await client.get('/api/anomalies')).status).toBe(403);
});

test('who is not signed in, and who sends no CSRF token, gets nothing done', async () => {
  expect((await api.nobody().get('/api/anomalies')).status).toBe(401);
  const officer = await api.as({ role: 'officer' });
  const forged = await officer.post('/api/anomalies/1/actions', {}, { 'x-csrf-token': 'guessed' });
  expect(forged.body).toMatchObject({ status: 403, code: 'CSRF_TOKEN' });
});

test('a filter that names what there is not is refused, with what there is', async () => {
  const supervisor = await api.as({ role: 'supervisor', division: '620802' });
  const filter = { department: ['housng'] };
  const acting = { action: 'dismiss', reason: 'not_a_fault', comment: '测试', filter };
  for (const refused of [
    await supervisor.get('/api/anomalies?rule=XX99'),
    await supervisor.get('/api/anomalies?division=620802999'),
    await supervisor.post('/api/bulk-actions', acting),
    await supervisor.post('/api/bulk-actions/preview', acting),
    await supervisor.post('/api/anomalies/exports', { filter, format: 'csv', purpose: 'case' }),
    await supervisor.post('/api/suppressions', {
      ...{ rule: 'DQ01', until: '2099-12-31', reason: 'known_exception', comment: '测试' },
      covers: { division: '620802999' },
    }),
  ])
    expect(refused.body, refused.text).toMatchObject({
      code: 'CASE_INPUT',
      detail: expect.stringMatching(/^there is no (rule|division|department) .*; /),
    });
});
