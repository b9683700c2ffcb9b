import { expect, test } from 'vitest';
import { useApi } from './api.ts';
import { FULL_VALUE, linesOf } from './files.ts';

const api = useApi();
const TOWN = '620802001';

/** A rule with open cases in the town and elsewhere. */
async function ruleOfBoth(): Promise<string> {
  const [found] = await api.query<{ rule: string }>(`
    SELECT rule FROM anomalies.anomaly WHERE status = 'new' AND severity <> 'info'
    GROUP BY rule HAVING count(*) FILTER (WHERE division LIKE '${TOWN}%') > 0
      AND count(*) FILTER (WHERE NOT division LIKE '${TOWN}%') > 0 ORDER BY count(*) DESC LIMIT 1`);
  return found?.rule ?? '';
}

const assigned = (rule: string) =>
  api.query<{ inside: number; outside: number }>(
    `SELECT count(*) FILTER (WHERE division LIKE '${TOWN}%') AS inside,
            count(*) FILTER (WHERE NOT division LIKE '${TOWN}%') AS outside
     FROM anomalies.anomaly WHERE rule = '${rule}' AND status = 'assigned'`,
  );

test('a bulk action previews, acts within the scope alone, and is taken back by whoever took it', async () => {
  const rule = await ruleOfBoth();
  const supervisor = await api.as({ role: 'supervisor', division: TOWN });
  const owner = supervisor.name;
  const body = { filter: { rule: [rule] }, action: 'assign', reason: 'by_division', owner };
  const preview = await supervisor.post('/api/bulk-actions/preview', body);
  expect(preview.status, preview.text).toBe(200);
  expect(preview.at('matching')).toBeGreaterThan(0);
  const acted = await supervisor.post('/api/bulk-actions', body);
  expect(acted.body).toMatchObject({ cases: preview.at('matching') });
  expect(await assigned(rule)).toEqual([{ inside: preview.at('matching'), outside: 0 }]);

  const other = await api.as({ role: 'supervisor', division: '620802002' });
  const undo = `/api/bulk-actions/${acted.at('bulk_id')}/undo`;
  expect((await other.post(undo)).body).toMatchObject({ status: 404, code: 'BULK_UNKNOWN' });
  expect((await other.get('/api/bulk-actions')).at('items')).toEqual([]);
  expect((await supervisor.get('/api/bulk-actions')).at('items')).toMatchObject([
    { cases: preview.at('matching') },
  ]);
  const undone = await supervisor.post(undo);
  expect(undone.body).toEqual({ undone: preview.at('matching'), kept: 0 });
  expect(await assigned(rule)).toEqual([{ inside: 0, outside: 0 }]);
});

test('a bulk action needs a filter, a supervisor, and a filter within the scope', async () => {
  const supervisor = await api.as({ role: 'supervisor', division: TOWN });
  const body = { filter: {}, action: 'assign', reason: 'by_division', owner: supervisor.name };
  expect((await supervisor.post('/api/bulk-actions', body)).body).toMatchObject({ code: 'CASE_INPUT' });
  const outside = { ...body, filter: { division: '620802002' } };
  expect((await supervisor.post('/api/bulk-actions', outside)).status).toBe(403);
  const officer = await api.as({ role: 'officer' });
  expect((await officer.post('/api/bulk-actions', outside)).status).toBe(403);
});

test('cases are given to an officer who sees them, and to nobody else', async () => {
  const [county, ofTown, ofOther] = [
    await api.as({ role: 'supervisor', division: '620802' }),
    await api.as({ role: 'officer', division: TOWN }),
    await api.as({ role: 'officer', division: '620802002' }),
  ];
  const viewer = await api.as({ role: 'viewer' });
  const names = ((await county.get('/api/officers')).at('items') as { name: string }[]).map(
    ({ name }) => name,
  );
  expect(names).toEqual(expect.arrayContaining([county.name, ofTown.name, ofOther.name]));
  expect(names).not.toContain(viewer.name);

  const found = await county.get(`/api/anomalies?division=${TOWN}&limit=1&status=new`);
  const id = found.at('items.0.anomaly_id');
  const give = (owner: string) =>
    county.post(
      `/api/anomalies/${id}/actions`,
      { action: 'assign', reason: 'by_division', owner },
      { 'if-match': `"${found.at('items.0.version')}"` },
    );
  for (const owner of ['nobody-of-this-name', viewer.name, ofOther.name])
    expect((await give(owner)).body).toMatchObject({
      code: 'CASE_INPUT',
      detail: expect.stringContaining(owner),
    });
  expect((await give(ofTown.name)).body).toMatchObject({ status: 'assigned' });

  const inBulk = (division: string) =>
    county.post('/api/bulk-actions/preview', {
      ...{ filter: { division }, action: 'assign', reason: 'by_division' },
      owner: ofTown.name,
    });
  expect((await inBulk(TOWN)).status).toBe(200);
  expect((await inBulk('620802')).body).toMatchObject({ code: 'CASE_INPUT' });
});

test('a suppression is declared of what is in scope, listed, and lifted', async () => {
  const rule = await ruleOfBoth();
  const supervisor = await api.as({ role: 'supervisor', division: TOWN });
  const county = await api.as({ role: 'supervisor' });
  const given = { rule, until: '2099-12-31', reason: 'known_exception', comment: '集中办理' };
  const covers = { division: '620802' };
  expect((await supervisor.post('/api/suppressions', { ...given, covers })).body).toMatchObject({
    status: 403,
  });
  const made = await supervisor.post('/api/suppressions', { ...given, covers: { division: TOWN } });
  expect(made.status, made.text).toBe(200);
  expect(made.at('cases')).toBeGreaterThan(0);
  expect((await county.get('/api/suppressions')).at('items')).toMatchObject([
    { division: TOWN, cases: made.at('cases') },
  ]);
  const elsewhere = await api.as({ role: 'supervisor', division: '620802002' });
  expect((await elsewhere.get('/api/suppressions')).at('items')).toEqual([]);
  const lift = `/api/suppressions/${made.at('suppression_id')}/lift`;
  expect((await elsewhere.post(lift)).status).toBe(404);
  expect((await supervisor.post(lift)).status).toBe(204);
  expect((await supervisor.post(lift)).body).toMatchObject({ code: 'SUPPRESSION_UNKNOWN' });
  const unknown = await supervisor.post('/api/suppressions', { ...given, rule: 'XX99', covers });
  expect(unknown.body).toMatchObject({ code: 'RULE_UNKNOWN' });
});

test.each(['csv', 'xlsx'] as const)(
  'an export as %s has a watermark, masked evidence, and an entry in the log',
  async (format) => {
    const officer = await api.as({ role: 'officer', division: TOWN });
    const made = await officer.post('/api/anomalies/exports', { filter: {}, format, purpose: 'supervision' });
    expect(made.status, made.text).toBe(200);
    expect(String(made.headers['content-disposition'])).toContain(`.${format}`);
    const [watermark, headings, ...rows] = await linesOf(made.bytes, format);
    expect(watermark?.[0]).toContain(`导出人：${officer.name}`);
    expect(watermark?.[0]).toContain('监督检查');
    const division = headings?.indexOf('区划代码') ?? -1;
    expect(rows.length).toBeGreaterThan(0);
    for (const row of rows) expect(row[division]).toMatch(new RegExp(`^${TOWN}`));
    expect(rows.flat().join(' ')).not.toMatch(FULL_VALUE);
    const words = ['级别', '状态', '责任部门', '报送项'].map((name) => headings?.indexOf(name) ?? -1);
    for (const row of rows) expect(words.map((column) => row[column]).join('')).toMatch(/^\p{Script=Han}+$/u);
    const [entry] = await api.query(
      `SELECT actor, action, purpose, detail FROM audit.entry ORDER BY entry_id DESC LIMIT 1`,
    );
    expect(entry).toMatchObject({
      actor: officer.name,
      action: 'export',
      purpose: 'supervision',
      detail: { cases: rows.length },
    });
  },
);

test('an export asks for a purpose from the list', async () => {
  const officer = await api.as({ role: 'officer' });
  expect((await officer.post('/api/anomalies/exports', { filter: {} })).status).toBe(400);
  expect((await officer.post('/api/anomalies/exports', { purpose: 'curiosity' })).status).toBe(400);
});

test('groups are of the own scope', async () => {
  const county = await api.as({ role: 'officer' });
  const town = await api.as({ role: 'officer', division: TOWN });
  expect((await county.get('/api/anomalies/groups')).status).toBe(200);
  const groups = await town.get('/api/anomalies/groups');
  expect(groups.status, groups.text).toBe(200);
});
