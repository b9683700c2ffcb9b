import { expect, test } from 'vitest';
import { DATE, useApi } from './api.ts';

const api = useApi();

test('without signing in, one learns that the service lives, and its figures for Prometheus', async () => {
  expect((await api.nobody().get('/healthz')).body).toEqual({ status: 'ok', lacks: [] });
  expect((await api.nobody().get('/readyz')).body).toEqual({ status: 'ok', lacks: [] });
  const metrics = await api.nobody().get('/metrics');
  expect(metrics.text).toContain('popshare_runs{status="done"} 1');
  expect(metrics.text).toMatch(/popshare_open_cases\{rule="DQ01",severity="high"\} \d+/);
  expect(metrics.text).toContain('popshare_http_request_seconds_bucket');
  expect(metrics.text).toMatch(/popshare_queue_jobs\{state="waiting"\} 0/);
});

test('an operator sees deliveries, their findings, runs with their steps, and feeds', async () => {
  const operator = await api.as({ role: 'operator' });
  const deliveries = await operator.get('/api/deliveries?limit=5');
  expect(deliveries.body).toMatchObject({ items: { length: 5 }, next: expect.any(String) });
  const more = await operator.get(`/api/deliveries?limit=200&after=${deliveries.at('next')}`);
  expect(more.body).toMatchObject({ items: { length: 7 }, next: null });
  const id = deliveries.at('items.0.delivery_id');
  expect((await operator.get(`/api/deliveries/${id}`)).body).toMatchObject({ findings: [], decisions: [] });
  expect((await operator.get('/api/deliveries/999999')).body).toMatchObject({
    status: 404,
    code: 'DELIVERY_UNKNOWN',
  });
  const runs = await operator.get('/api/runs');
  expect(runs.body).toMatchObject({ items: [{ business_date: DATE, status: 'done' }], next: null });
  const run = await operator.get(`/api/runs/${runs.at('items.0.run_id')}`);
  expect(run.body).toMatchObject({
    steps: expect.arrayContaining([expect.objectContaining({ name: 'identity' })]),
  });
  const feeds = await operator.get('/api/feeds');
  expect(feeds.body).toMatchObject({ items: { length: 12 } });
});

test('a department’s system sees its own deliveries, feeds and rejected rows alone', async () => {
  const housing = await api.as({ role: 'department', department: 'housing' });
  const deliveries = await housing.get('/api/deliveries');
  expect(deliveries.body).toMatchObject({
    items: [{ department: 'housing' }, { department: 'housing' }],
    next: null,
  });
  expect((await housing.get('/api/feeds')).body).toMatchObject({
    items: [{ feed: 'housing_lease' }, { feed: 'housing_ownership' }],
  });
  const [foreign] = await api.query<{ delivery_id: number }>(
    `SELECT delivery_id FROM ops.delivery WHERE department <> 'housing' LIMIT 1`,
  );
  expect((await housing.get(`/api/deliveries/${foreign?.delivery_id}`)).status).toBe(404);
  const values = await housing.post('/api/rejected-rows/export', {
    feed: 'household_register',
    purpose: 'correction',
  });
  expect(values.status).toBe(404);
  const all = await api.query<{ feed: string }>(
    'SELECT DISTINCT feed FROM ops.rejected_row JOIN reference.feed USING (feed) WHERE department = $1',
    ['housing'],
  );
  const rows = await housing.get('/api/rejected-rows?limit=200');
  expect(rows.status, rows.text).toBe(200);
  const feeds = new Set((rows.at('items') as { feed: string }[]).map(({ feed }) => feed));
  expect([...feeds].sort()).toEqual(all.map(({ feed }) => feed).sort());
});

test('of a run, a department’s system sees its own feeds alone; a run may have reported nothing', async () => {
  const housing = await api.as({ role: 'department', department: 'housing' });
  const run = await housing.get('/api/runs/1');
  expect(run.at('summary.deliveries')).toMatchObject([{ department: 'housing' }, { department: 'housing' }]);
  expect(run.at('summary.late_feeds')).toEqual([]);
  const steps = run.at('steps') as { name: string; subject: string }[];
  expect(steps.filter(({ name }) => name === 'ingest').map(({ subject }) => subject)).toEqual(
    expect.arrayContaining(['housing_lease', 'housing_ownership']),
  );
  expect(steps.filter(({ name }) => name === 'ingest')).toHaveLength(2);
  const [decision] = await api.query<{ run_id: number }>(
    `INSERT INTO ops.run (business_date, purpose, status, summary) VALUES ('${DATE}', 'decision', 'done', 'null') RETURNING run_id`,
  );
  expect((await housing.get(`/api/runs/${decision?.run_id}`)).body).toMatchObject({ summary: null });
});

test('rejected rows go back to their department as they came, and the log says who took them', async () => {
  await api.query(`
    INSERT INTO ops.rejected_row (delivery_id, feed, line, field, code, message, fields)
    SELECT delivery_id, feed, 7, 'lease_from', 'NOT_A_DATE', '不是日期', to_json(ARRAY['a', 'b']) FROM ops.delivery
    WHERE feed = 'housing_lease'`);
  const officer = await api.as({ role: 'officer', department: 'housing' });
  const exported = await officer.post('/api/rejected-rows/export', {
    feed: 'housing_lease',
    purpose: 'correction',
  });
  expect(exported.status, exported.text).toBe(200);
  expect(exported.body).toMatchObject({ files: [{ rows: 1 }, { rows: 1 }] });
  expect(
    await api.query('SELECT actor, action, purpose FROM audit.entry ORDER BY entry_id DESC LIMIT 1'),
  ).toEqual([{ actor: officer.name, action: 'export', purpose: 'correction' }]);
});

test('an operator asks for a run; the request waits for the scheduler, and the log has it', async () => {
  const operator = await api.as({ role: 'operator' });
  const asked = await operator.post('/api/runs', { date: DATE, reason: '补报后重跑' });
  expect(asked.status, asked.text).toBe(202);
  expect(await api.query('SELECT requested_by, reason, run_id FROM ops.run_request')).toEqual([
    { requested_by: operator.name, reason: '补报后重跑', run_id: null },
  ]);
  expect((await operator.post('/api/runs', { date: '2199-01-01', reason: '早了' })).status).toBe(422);
  expect((await operator.post('/api/runs', { date: '2026-13-01', reason: '' })).body).toMatchObject({
    code: 'REQUEST_INVALID',
    errors: [{ at: 'body/date' }, { at: 'body/reason' }],
  });
});

test('the rules are told, and what they were worth', async () => {
  const operator = await api.as({ role: 'operator' });
  expect((await operator.get('/api/rules/DQ01')).body).toMatchObject({ rule: 'DQ01', severity: 'high' });
  expect((await operator.get('/api/rules/XX99')).status).toBe(404);
  const worth = await operator.get(`/api/rule-worth?from=${DATE}&to=${DATE}`);
  expect(worth.status, worth.text).toBe(200);
  expect(worth.at('items.0.opened')).toEqual(expect.any(Number));
});

test('an auditor reads the log, page by page, and has the chain computed again', async () => {
  const officer = await api.as({ role: 'officer' });
  const id = (await officer.get('/api/anomalies?limit=1')).at('items.0.anomaly_id');
  await officer.get(`/api/anomalies/${id}?purpose=review`);
  const auditor = await api.as({ role: 'auditor' });
  const entries = await auditor.get(`/api/audit?actor=${officer.name}`);
  expect(entries.body).toMatchObject({
    items: [{ actor: officer.name, action: 'look', subject: `case ${id}`, purpose: 'review' }],
    next: null,
  });
  const verified = await auditor.get('/api/audit/verification');
  expect(verified.body).toMatchObject({ faults: [] });
  expect((await auditor.get('/api/anomalies')).status).toBe(403);
});

test('figures are for viewers and dashboards; the job board is for operators', async () => {
  for (const role of ['viewer', 'dashboard'] as const) {
    const viewer = await api.as({ role });
    const figures = await viewer.get('/api/indicators?limit=2');
    expect(figures.status, figures.text).toBe(200);
    expect((await viewer.get(`/api/scorecards?date=${DATE}`)).body).toMatchObject({ items: { length: 12 } });
    expect((await viewer.get('/admin/queues')).status).toBe(403);
  }
  expect((await api.nobody().get('/admin/queues')).status).toBe(401);
  const operator = await api.as({ role: 'operator' });
  const board = await operator.get('/admin/queues');
  expect(board.status).toBe(200);
  expect(board.text).toContain('popshare');
  expect(
    (await operator.get('/admin/queues/api/queues?activeQueue=night&page=1&jobsPerPage=10')).body,
  ).toMatchObject({
    queues: [{ name: 'night', readOnlyMode: true }],
  });
});
