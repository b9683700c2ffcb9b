import { expect, test } from 'vitest';
import { type Client, useApi } from './api.ts';
import { csv, linesOf } from './files.ts';

const api = useApi();
const CSV = { 'content-type': 'text/csv; charset=utf-8' };

/** Returns so many cases to the department that owns their records. */
async function returnCases(supervisor: Client, department: string, count: number): Promise<number[]> {
  const cases = await api.query<{ anomaly_id: number; version: number }>(
    `SELECT anomaly_id, version FROM anomalies.anomaly
     WHERE department = $1 AND status = 'new' AND severity <> 'info' AND feed = (
       SELECT min(feed) FROM anomalies.anomaly WHERE department = $1 AND status = 'new' AND severity <> 'info')
     ORDER BY anomaly_id LIMIT $2`,
    [department, count],
  );
  for (const { anomaly_id, version } of cases) {
    const returned = await supervisor.post(
      `/api/anomalies/${anomaly_id}/actions`,
      { action: 'return', reason: 'correct_record', comment: '请更正' },
      { 'if-match': `"${version}"` },
    );
    expect(returned.status, returned.text).toBe(200);
  }
  return cases.map(({ anomaly_id }) => anomaly_id);
}

test('a list is issued, fetched by its department with a mark on it, and comes back answered', async () => {
  const supervisor = await api.as({ role: 'supervisor' });
  const cases = await returnCases(supervisor, 'public-security', 2);
  const before = await supervisor.get('/api/corrections/progress');
  expect(before.at('items')).toMatchObject([{ department: 'public-security', lines: 0, waiting: 2 }]);
  const issued = await supervisor.post('/api/corrections', {});
  expect(issued.status, issued.text).toBe(200);
  expect(issued.at('issued')).toMatchObject([{ department: 'public-security', lines: 2 }]);
  const number = String(issued.at('issued.0.number'));

  const department = await api.as({ role: 'department', department: 'public-security' });
  const others = await api.as({ role: 'department', department: 'civil-affairs' });
  expect((await department.get('/api/corrections')).at('items')).toMatchObject([
    { number, lines: 2, answered: 0 },
  ]);
  expect((await others.get('/api/corrections')).at('items')).toEqual([]);
  expect((await others.post(`/api/corrections/${number}/files`, { format: 'csv' })).status).toBe(404);

  const file = await department.post(`/api/corrections/${number}/files`, { format: 'csv' });
  expect(file.status, file.text).toBe(200);
  const lines = await linesOf(file.bytes, 'csv');
  const [headings = [], ...rows] = lines;
  const mark = headings.indexOf('导出标记');
  expect(rows).toHaveLength(2);
  for (const row of rows) expect(row[mark]).toContain(department.name);
  // Its own column, as it is.
  const [record] = await api.query<{ name: string }>(
    `SELECT r.name FROM anomalies.anomaly a JOIN registry.household_register r USING (source_key) WHERE anomaly_id = $1`,
    [cases[0]],
  );
  if (record !== undefined) expect(file.text).toContain(record.name);
  const [entry] = await api.query(
    `SELECT actor, action, subject FROM audit.entry ORDER BY entry_id DESC LIMIT 1`,
  );
  expect(entry).toEqual({ actor: department.name, action: 'export', subject: number });

  const reply = headings.indexOf('处理结果');
  const answered = lines.map((line, at) =>
    line.map((cell, column) => (at > 0 && column === reply ? (at === 1 ? '已更正' : '非本部门') : cell)),
  );
  const refused = await others.request('POST', '/api/corrections/replies', {
    body: csv(answered),
    headers: CSV,
  });
  expect(refused.body).toMatchObject({ status: 422, code: 'ANSWER_FILE' });
  const taken = await department.request('POST', '/api/corrections/replies', {
    body: csv(answered),
    headers: CSV,
  });
  expect(taken.status, taken.text).toBe(200);
  expect(taken.body).toEqual({ taken: 2, known: 0, unanswered: 0, withdrawn: [] });
  expect(
    await api.query('SELECT status FROM anomalies.anomaly WHERE anomaly_id = ANY ($1) ORDER BY status', [
      cases,
    ]),
  ).toEqual([{ status: 'new' }, { status: 'returned' }]);
  expect((await department.get('/api/corrections')).at('items')).toMatchObject([{ answered: 2 }]);
});

test('a line that was taken back is told of, and its department may answer it although the case is not theirs', async () => {
  const supervisor = await api.as({ role: 'supervisor' });
  const department = await api.as({ role: 'department', department: 'housing' });
  const returned = await supervisor.post('/api/bulk-actions', {
    ...{ action: 'return', reason: 'belongs_elsewhere', comment: '请核实', department: 'housing' },
    ...{ filter: { department: ['public-security'], status: ['new'] }, limit: 2 },
  });
  expect(returned.body, returned.text).toMatchObject({ cases: 2 });
  const issued = await supervisor.post('/api/corrections', { department: 'housing' });
  const number = String(issued.at('issued.0.number'));
  const undone = await supervisor.post(`/api/bulk-actions/${returned.at('bulk_id')}/undo`, {});
  expect(undone.body, undone.text).toMatchObject({ undone: 2 });

  expect((await department.get('/api/corrections')).at('items')).toMatchObject([
    { number, lines: 2, withdrawn: 2 },
  ]);
  const answers = csv([
    ['校核单号', '行号', '处理结果', '处理说明'],
    [number, '1', '非本部门', ''],
    [number, '2', '已更正', ''],
  ]);
  const taken = await department.request('POST', '/api/corrections/replies', {
    body: answers,
    headers: CSV,
  });
  expect(taken.body, taken.text).toEqual({
    ...{ taken: 2, known: 0, unanswered: 0 },
    withdrawn: [
      { number, line: 1 },
      { number, line: 2 },
    ],
  });
  expect((await supervisor.get('/api/corrections/progress')).at('items')).toMatchObject([
    { department: 'housing', lines: 2, answered: 2, withdrawn: 1, overdue: 0 },
    { department: 'public-security' },
  ]);
});

test.each([
  ['nothing', Buffer.alloc(0), 'text/csv'],
  [
    'bytes that are no workbook',
    Buffer.from('PK\u0003\u0004garbage'),
    'application/vnd.openxmlformats-officedocument.spreadsheetml.sheet',
  ],
  ['text without the columns', Buffer.from('a,b\r\n1,2\r\n'), 'text/csv'],
  ['zeros', Buffer.alloc(10_000), 'text/csv'],
  [
    'a quote that never ends',
    Buffer.from(`校核单号,行号,处理结果,处理说明\n"${'x'.repeat(10_000)}`),
    'text/csv',
  ],
  ['another media type', Buffer.from('{}'), 'application/octet-stream'],
])('an upload of %s is refused as the sender’s fault', async (_what, body, type) => {
  const officer = await api.as({ role: 'officer' });
  for (const url of ['/api/corrections/replies', '/api/field-checks/answers']) {
    const answer = await officer.request('POST', url, { body, headers: { 'content-type': type } });
    expect(answer.status, answer.text).toBeGreaterThanOrEqual(400);
    expect(answer.status, answer.text).toBeLessThan(500);
  }
});

test('an upload beyond the limit is refused', async () => {
  const officer = await api.as({ role: 'officer' });
  const body = Buffer.alloc(9 * 1024 * 1024, 'x');
  expect((await officer.request('POST', '/api/corrections/replies', { body, headers: CSV })).status).toBe(
    413,
  );
});

test('a village is asked, its list is printed, and it answers by page or by file', async () => {
  const officer = await api.as({ role: 'officer', division: '620802001' });
  const found = await api.query<{ anomaly_id: number; division: string }>(`
    SELECT anomaly_id, division FROM anomalies.anomaly
    WHERE division LIKE '620802001%' AND NOT division LIKE '%000' AND status = 'new' AND severity <> 'info'
      AND feed IS NOT NULL ORDER BY division, anomaly_id LIMIT 2`);
  const village = found[0]?.division ?? '';
  const ids: unknown[] = [];
  for (const { anomaly_id } of found) {
    const asked = await officer.post('/api/field-checks', {
      case: anomaly_id,
      village,
      question: '是否居住在此',
    });
    expect(asked.status, asked.text).toBe(200);
    ids.push(asked.at('check_id'));
  }
  const again = await officer.post('/api/field-checks', {
    case: found[0]?.anomaly_id,
    village,
    question: '是否居住在此',
  });
  expect(again.body).toMatchObject({ code: 'FIELD_CHECK' });
  const outside = await officer.post('/api/field-checks', {
    case: found[0]?.anomaly_id,
    village: '620802002001',
    question: '?',
  });
  expect(outside.status).toBe(403);

  const elsewhere = await api.as({ role: 'officer', division: '620802002' });
  expect((await elsewhere.get('/api/field-checks')).at('items')).toEqual([]);
  expect((await elsewhere.post('/api/field-checks/files', { village })).status).toBe(404);
  expect(
    (await elsewhere.post(`/api/field-checks/${ids[0]}/answer`, { answer: 'died', by: '王' })).status,
  ).toBe(404);

  const file = await officer.post('/api/field-checks/files', { village });
  expect(file.status, file.text).toBe(200);
  const lines = await linesOf(file.bytes, 'xlsx');
  expect(lines[1]?.join(' ')).toContain(officer.name);
  const byPage = await officer.post(`/api/field-checks/${ids[0]}/answer`, {
    answer: 'lives_here',
    by: '王村长',
  });
  expect(byPage.status, byPage.text).toBe(204);
  const late = await officer.post(`/api/field-checks/${ids[0]}/answer`, { answer: 'died', by: '王村长' });
  expect(late.body).toMatchObject({ code: 'FIELD_CHECK' });
  const rest = lines
    .filter((line, at) => at === 0 || line[0] === String(ids[1]))
    .map((line, at) =>
      line.map((cell, column) =>
        at === 0
          ? cell
          : lines[0]?.[column] === '核查结果'
            ? '已离开本县'
            : lines[0]?.[column] === '核查人'
              ? '李'
              : cell,
      ),
    );
  const byFile = await officer.request('POST', '/api/field-checks/answers', {
    body: csv(rest),
    headers: CSV,
  });
  expect(byFile.body).toEqual({ taken: 1 });
  expect((await officer.get(`/api/field-checks?village=${village}`)).at('items')).toMatchObject([
    { answer: 'moved_away' },
    { answer: 'lives_here' },
  ]);
});
