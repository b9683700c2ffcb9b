import { expect, test } from 'vitest';
import { useApi } from './api.ts';
import { FULL_VALUE } from './files.ts';

const api = useApi();

test('open reviews come in pages, what matters most first, each once', async () => {
  const officer = await api.as({ role: 'officer' });
  const whole = await officer.get('/api/reviews?limit=200');
  expect(whole.status, whole.text).toBe(200);
  const ids: unknown[] = [];
  for (let after: unknown = null; ids.length === 0 || after !== null; ) {
    const page = await officer.get(`/api/reviews?limit=2${after === null ? '' : `&after=${after}`}`);
    for (const at of [0, 1])
      if (page.at(`items.${at}`) !== undefined) ids.push(page.at(`items.${at}.review_id`));
    after = page.at('next');
  }
  expect(ids).toEqual((whole.at('items') as { review_id: number }[]).map(({ review_id }) => review_id));
  expect(new Set(ids).size).toBe(ids.length);
  expect(ids.length).toBeGreaterThan(2);
});

test('a review shows both mentions masked, why it is in doubt, and what would tip it; the look is in the log', async () => {
  const officer = await api.as({ role: 'officer' });
  const id = (await officer.get('/api/reviews?limit=1')).at('items.0.review_id');
  const shown = await officer.get(`/api/reviews/${id}`);
  expect(shown.status, shown.text).toBe(200);
  expect(shown.text).not.toMatch(FULL_VALUE);
  expect(shown.at('mentions')).toMatchObject([
    { name: expect.stringContaining('*') },
    { name: expect.stringContaining('*') },
  ]);
  expect(shown.at('explanation')).toMatchObject({ waterfall: expect.any(Array), tipping: expect.any(Array) });
  const [entry] = await api.query(
    'SELECT actor, action, subject FROM audit.entry ORDER BY entry_id DESC LIMIT 1',
  );
  expect(entry).toEqual({ actor: officer.name, action: 'look', subject: `review ${id}` });
});

test('a supervisor decides, the decision is in force at once, and can be lifted', async () => {
  const officer = await api.as({ role: 'officer' });
  const supervisor = await api.as({ role: 'supervisor' });
  const [found] = await api.query<{ review_id: number }>(
    `SELECT review_id FROM identity.review WHERE status = 'open' ORDER BY review_id LIMIT 1`,
  );
  const url = `/api/reviews/${found?.review_id}/decision`;
  const body = { verdict: 'same', reason: '到户核实' };
  expect((await officer.post(url, body)).status).toBe(403);
  expect((await supervisor.post(url, { verdict: 'perhaps', reason: 'x' })).status).toBe(400);
  const decided = await supervisor.post(url, body);
  expect(decided.status, decided.text).toBe(200);
  const shown = await supervisor.get(`/api/reviews/${found?.review_id}`);
  expect(shown.at('review')).toMatchObject({ status: 'linked' });
  expect(shown.at('mentions.0.person_id')).toBe(shown.at('mentions.1.person_id'));
  expect(shown.at('decisions.0')).toMatchObject({ verdict: 'same', decided_by: supervisor.name });
  expect((await supervisor.post(url, body)).body).toMatchObject({ status: 409, code: 'REVIEW_STATE' });

  const lift = `/api/decisions/${decided.at('decision_id')}/lift`;
  expect((await officer.post(lift, { reason: '误判' })).status).toBe(403);
  expect((await supervisor.post(lift, { reason: '误判' })).status).toBe(204);
  expect((await supervisor.post(lift, { reason: '误判' })).body).toMatchObject({ code: 'DECISION_UNKNOWN' });
});

test('while a run is under way, a decision is refused with advice', async () => {
  const supervisor = await api.as({ role: 'supervisor' });
  const [found] = await api.query<{ review_id: number }>(
    `SELECT review_id FROM identity.review WHERE status = 'open' LIMIT 1`,
  );
  const session = await api.warehouse.pool.connect();
  try {
    await session.query(`SELECT pg_advisory_lock(hashtext('popshare.run')::bigint)`);
    await session.query(
      `UPDATE ops.run SET status = 'running', heartbeat_at = now() WHERE run_id = (SELECT max(run_id) FROM ops.run)`,
    );
    const refused = await supervisor.post(`/api/reviews/${found?.review_id}/decision`, {
      verdict: 'different',
      reason: '核实',
    });
    expect(refused.body).toMatchObject({
      status: 409,
      code: 'RUN_IN_PROGRESS',
      todo: expect.stringContaining('Wait'),
    });
  } finally {
    await session.query(`UPDATE ops.run SET status = 'done' WHERE status = 'running'`);
    await session.query(`SELECT pg_advisory_unlock(hashtext('popshare.run')::bigint)`);
    session.release();
  }
});

test('reviews outside the scope are not listed, not shown and not decided', async () => {
  const [found] = await api.query<{ review_id: number; division: string }>(`
    SELECT review_id, divisions[1] AS division FROM identity.review
    WHERE status = 'open' AND divisions <> '{}' ORDER BY cardinality(divisions), review_id LIMIT 1`);
  const own = String(found?.division).slice(0, 9);
  const [{ town: other } = { town: '' }] = await api.query<{ town: string }>(`
    SELECT DISTINCT left(code, 9) AS town FROM reference.division
    WHERE code LIKE '620802%' AND left(code, 9) NOT IN (
      SELECT left(d, 9) FROM identity.review, unnest(divisions) d WHERE review_id = ${found?.review_id}) ORDER BY 1 LIMIT 1`);
  const inside = await api.as({ role: 'supervisor', division: own });
  const outside = await api.as({ role: 'supervisor', division: other });
  const url = `/api/reviews/${found?.review_id}`;
  const shown = await inside.get(url);
  expect(shown.status, shown.text).toBe(200);
  expect(shown.at('mentions')).toHaveLength(2);
  expect((await outside.get(url)).body).toMatchObject({ status: 404, code: 'REVIEW_UNKNOWN' });
  expect((await outside.post(`${url}/decision`, { verdict: 'same', reason: 'x' })).status).toBe(404);
  const listed = (await outside.get('/api/reviews?limit=200')).text;
  expect(listed).not.toContain(`"review_id":${found?.review_id},`);
});
