import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { Readable } from 'node:stream';
import { describe, expect, test } from 'vitest';
import { answeredFileAt } from '../../src/anomalies/answered-file.ts';
import { issueCorrections } from '../../src/anomalies/corrections/issue.ts';
import { correctionProgress, listCorrections } from '../../src/anomalies/corrections/list.ts';
import { correctionFiles } from '../../src/anomalies/corrections/list-file.ts';
import { escalateOverdue } from '../../src/anomalies/corrections/overdue.ts';
import { takeReplies } from '../../src/anomalies/corrections/reply.ts';
import { withdrawnBefore } from '../../src/anomalies/corrections/withdrawn.ts';
import { HEADINGS } from '../../src/anomalies/corrections/words.ts';
import { actOnCase } from '../../src/anomalies/queue/actions.ts';
import { actInBulk, undoBulk } from '../../src/anomalies/queue/bulk.ts';
import { loadDueDates } from '../../src/anomalies/queue/due-dates.ts';
import { decodeRows } from '../../src/ingest/decode/decode.ts';
import { toRunId } from '../../src/schema/ids.ts';
import { inCounty } from '../cli/popshare.ts';
import { allowance, register, TOMORROW, TONIGHT, useRules, WANG } from '../rules/situation.ts';

const { county, night } = useRules();
const popshare = inCounty(county);
const WRONG_SEX = { sex: '2' };
const officer = { name: '李娜', role: 'supervisor' as const };

/** Two doubts of public security about sex, one of civil affairs. */
async function openCases(): Promise<{ anomaly_id: number; version: number }[]> {
  await night('DQ06', {
    household_register: [register('H1', WRONG_SEX), register('H2', WRONG_SEX), register('H3')],
    subsistence_allowance: [allowance('A1', WRONG_SEX)],
  });
  return county.query('SELECT anomaly_id, version FROM anomalies.anomaly ORDER BY anomaly_id');
}

/** All of them returned to their departments. */
async function returnedCases(): Promise<number[]> {
  const cases = await openCases();
  for (const { anomaly_id, version } of cases) await giveBack(anomaly_id, version);
  return cases.map(({ anomaly_id }) => anomaly_id);
}

const giveBack = async (caseId: number, version: number, department?: string): Promise<number> =>
  actOnCase(county.warehouse, caseId, version, {
    action: 'return',
    actor: officer,
    reason: 'correct_record',
    comment: '请核对性别',
    department,
    today: TONIGHT,
    dueDates: await loadDueDates(county.configuration),
  });

const issue = () => issueCorrections(county.warehouse, { by: officer.name, on: TONIGHT, department: null });

const filesOf = (number: string) =>
  correctionFiles(county.warehouse, number, county.configuration.bindings, county.rules);

async function tableOf(file: { name: string; bytes: Buffer }): Promise<Record<string, string>[]> {
  const format = file.name.endsWith('.xlsx') ? 'xlsx' : 'csv';
  const { header, rows } = await decodeRows(Readable.from([file.bytes]), { format, gzip: false });
  const found: Record<string, string>[] = [];
  for await (const batch of rows)
    for (const { fields } of batch)
      found.push(Object.fromEntries(header.map((name, at) => [name, fields[at] ?? ''])));
  return found;
}

/** Writes a file as a department sends it back: the columns that matter, and its answers. */
async function answered(
  number: string,
  lines: Record<number, readonly [reply: string, note?: string]>,
): Promise<string> {
  const file = path.join(county.base, 'back', `${number}.csv`);
  await mkdir(path.dirname(file), { recursive: true });
  const rows = Object.entries(lines).map(([line, [reply, note = '']]) =>
    [number, line, reply, note].join(','),
  );
  await writeFile(file, `\uFEFF${[Object.values(HEADINGS).join(','), ...rows].join('\r\n')}\r\n`);
  return file;
}

const statuses = async (): Promise<string[]> =>
  (await county.query<{ status: string }>('SELECT status FROM anomalies.anomaly ORDER BY anomaly_id')).map(
    ({ status }) => status,
  );

describe('issuing lists', () => {
  test('each department gets one numbered list of its returned cases, and each case stands on one list', async () => {
    await returnedCases();
    const issued = await issue();
    expect(issued.map(({ number, lines }) => [number, lines])).toEqual([
      ['XH-2026-civil-affairs-0001', 1],
      ['XH-2026-public-security-0001', 2],
    ]);
    expect(await issue()).toEqual([]);
  });

  test('a case that is returned again stands on the next list', async () => {
    const [first = 0] = await returnedCases();
    await issue();
    const version = await actOnCase(county.warehouse, first, 2, {
      action: 'assign',
      actor: officer,
      owner: officer.name,
      reason: 'by_subject',
      today: TONIGHT,
      dueDates: await loadDueDates(county.configuration),
    });
    await giveBack(first, version);
    expect((await issue()).map(({ number }) => number)).toEqual(['XH-2026-public-security-0002']);
  });

  test('the files have the department’s own columns and record, as workbook and as CSV', async () => {
    await returnedCases();
    await issue();
    const files = await filesOf('XH-2026-public-security-0001');
    expect(files.map(({ name }) => name)).toEqual([
      'XH-2026-public-security-0001_household_register.xlsx',
      'XH-2026-public-security-0001_household_register.csv',
    ]);
    for (const file of files) {
      const rows = await tableOf(file);
      expect(rows.map((row) => [row['行号'], row['人员编号'], row['公民身份号码'], row['性别']])).toEqual([
        ['1', 'H1', WANG.id_number, '2'],
        ['2', 'H2', WANG.id_number, '2'],
      ]);
      expect(rows[0]?.['问题']).toContain('DQ06');
    }
  });
});

test('of a record that is not its own a department gets what the evidence says, and no more', async () => {
  await night('DQ06', { household_register: [register('H1', WRONG_SEX)] });
  await county.query(
    `INSERT INTO anomalies.anomaly (rule, subject, family, severity, status, department, first_seen,
    last_seen, opened_on, due_on, evidence) VALUES ('ST01', 'county', 'ST', 'low', 'new', 'health', $1, $1, $1, $1, '{"births": 9}')`,
    [TONIGHT],
  );
  const cases = await county.query<{ anomaly_id: number }>(
    'SELECT anomaly_id FROM anomalies.anomaly ORDER BY 1',
  );
  for (const { anomaly_id } of cases) await giveBack(anomaly_id, 1, 'housing');
  await issue();
  const files = await filesOf('XH-2026-housing-0001');
  expect(files.map(({ name }) => name.slice(21))).toEqual([
    'household_register.xlsx',
    'household_register.csv',
    'no_record.xlsx',
    'no_record.csv',
  ]);
  const rows = (await Promise.all(files.map(tableOf))).flat();
  expect(new Set(rows.flatMap((row) => Object.keys(row)))).toEqual(
    new Set(['校核单号', '行号', '问题', '依据', '期限', '办理状态', '处理结果', '处理说明']),
  );
  expect(JSON.stringify(rows)).not.toContain(WANG.id_number);
  expect(rows[3]?.['依据']).toBe('出生数：9');
});

test('nothing is returned to a department that there is not', async () => {
  const [first = 0] = await returnedCases();
  await expect(giveBack(first, 2, 'housng')).rejects.toMatchObject({
    code: 'CASE_INPUT',
    message: expect.stringMatching(/housng is no department .*housing/),
  });
});

describe('answers', () => {
  test('“corrected” waits for the data, and the next delivery closes the case', async () => {
    await returnedCases();
    await issue();
    const number = 'XH-2026-civil-affairs-0001';
    const replying = { by: officer.name, on: TONIGHT, within: county.warehouse };
    const file = await answered(number, { 1: ['已更正', '已改'] });
    expect(await takeReplies(county.warehouse, answeredFileAt(file), replying)).toEqual({
      taken: 1,
      known: 0,
      unanswered: 0,
      withdrawn: [],
    });
    expect(await takeReplies(county.warehouse, answeredFileAt(file), replying)).toEqual({
      taken: 0,
      known: 1,
      unanswered: 0,
      withdrawn: [],
    });
    expect(await statuses()).toEqual(['returned', 'returned', 'returned']);
    await night('DQ06', { subsistence_allowance: [allowance('A1', { sex: '1' })] }, TOMORROW);
    expect(await statuses()).toContain('resolved');
  });

  test('any other answer brings the case back to the queue, with the answer in its history', async () => {
    await returnedCases();
    await issue();
    const file = await answered('XH-2026-public-security-0001', { 1: ['核实无误', '出生证为女'], 2: [''] });
    const summary = await takeReplies(county.warehouse, answeredFileAt(file), {
      by: '公安',
      on: TONIGHT,
      within: county.warehouse,
    });
    expect(summary).toEqual({ taken: 1, known: 0, unanswered: 1, withdrawn: [] });
    expect((await statuses()).toSorted()).toEqual(['new', 'returned', 'returned']);
    const events = await county.query(
      `SELECT source_key, actor, reason, comment, from_status, to_status
       FROM anomalies.anomaly_event JOIN anomalies.anomaly USING (anomaly_id) WHERE kind = 'answered'`,
    );
    expect(events).toEqual([
      {
        source_key: 'H1',
        actor: '公安',
        reason: 'right_as_it_is',
        comment: '出生证为女',
        from_status: 'returned',
        to_status: 'new',
      },
    ]);
  });

  test('a file with one wrong line is refused whole, and says which', async () => {
    await returnedCases();
    await issue();
    const file = await answered('XH-2026-public-security-0001', {
      1: ['已更正'],
      2: ['好的'],
      9: ['已更正'],
    });
    const refused = takeReplies(county.warehouse, answeredFileAt(file), {
      by: '公安',
      on: TONIGHT,
      within: county.warehouse,
    });
    await expect(refused).rejects.toThrow(
      /第 3 行：处理结果应为 已更正、.*没有校核单 XH-2026-public-security-0001 第 9 行/,
    );
    expect(await county.query('SELECT FROM anomalies.correction_line WHERE reply IS NOT NULL')).toEqual([]);
  });

  const LIST = 'XH-2026-public-security-0001';
  test.each([
    ['a number of a line that is none', [LIST, '1e0', '已更正', ''], /第 2 行：行号不是数字/],
    ['a number too large', [LIST, '99999999999', '已更正', ''], /第 2 行：行号不是数字/],
    ['a cell without end', [LIST, '1', '已更正', '话'.repeat(100_000)], /第 2 行：有超过 1000 字的单元格/],
    ['a character that no text has', [LIST, '1', '已更正', 'a\0b'], /第 2 行：无法读取/],
    ['a list never issued', ['Z'.repeat(900), '1', '已更正', ''], /没有校核单 Z{40}… 第 1 行/],
  ])('a file with %s is refused', async (_what, cells, message) => {
    await returnedCases();
    await issue();
    const file = path.join(county.base, 'back.csv');
    await writeFile(file, `${Object.values(HEADINGS).join(',')}\n${cells.join(',')}\n`);
    await expect(
      takeReplies(county.warehouse, answeredFileAt(file), { by: 'x', on: TONIGHT, within: county.warehouse }),
    ).rejects.toMatchObject({
      code: 'ANSWER_FILE',
      message: expect.stringMatching(message),
    });
  });

  test('a file that is not there, a folder, and what is no table are refused', async () => {
    const replies = async (file: string) =>
      takeReplies(county.warehouse, answeredFileAt(file), { by: 'x', on: TONIGHT, within: county.warehouse });
    await expect(replies(path.join(county.base, 'nowhere.csv'))).rejects.toMatchObject({
      code: 'ANSWER_FILE',
    });
    await expect(replies(county.base)).rejects.toMatchObject({ code: 'ANSWER_FILE' });
    const noWorkbook = path.join(county.base, 'no.xlsx');
    await writeFile(noWorkbook, 'PK\x03\x04 no workbook');
    await expect(replies(noWorkbook)).rejects.toMatchObject({ code: expect.stringMatching(/^SOURCE_/) });
  });

  test('a file without the columns of a list is refused', async () => {
    const file = path.join(county.base, 'other.csv');
    await writeFile(file, '姓名\n王强\n');
    await expect(
      takeReplies(county.warehouse, answeredFileAt(file), { by: 'x', on: TONIGHT, within: county.warehouse }),
    ).rejects.toMatchObject({
      code: 'ANSWER_FILE',
    });
  });
});

describe('a line whose case was taken back from the department', () => {
  const LIST = 'XH-2026-public-security-0001';
  const replying = () => ({ by: '公安', on: TONIGHT, within: county.warehouse });

  /** Public security's two cases stand on its list by a bulk action, which is then undone. */
  async function withdrawn(): Promise<void> {
    await openCases();
    const { bulk_id } = await actInBulk(county.warehouse, {
      ...{ action: 'return', actor: officer, reason: 'correct_record', comment: '请核对性别' },
      ...{ today: TONIGHT, dueDates: await loadDueDates(county.configuration) },
      ...{ filter: { feed: ['household_register'] }, limit: 100, groupAbove: 100 },
    });
    await issue();
    await undoBulk(county.warehouse, bulk_id, { actor: officer, today: TONIGHT });
  }

  test('is counted as withdrawn, and not as overdue', async () => {
    await withdrawn();
    const page = { department: null, after: null, limit: 10 };
    expect(await listCorrections(county.warehouse, page)).toMatchObject([
      { number: LIST, lines: 2, withdrawn: 2, answered: 0, closed: 0 },
    ]);
    expect(await correctionProgress(county.warehouse, '2027-06-01')).toMatchObject([
      { department: 'public-security', lines: 2, withdrawn: 2, overdue: 0, waiting: 0 },
    ]);
  });

  test('says so in the list when it is written again, and the next list says it too', async () => {
    await withdrawn();
    const [, csv] = await filesOf(LIST);
    const rows = await tableOf(csv ?? { name: '', bytes: Buffer.alloc(0) });
    expect(rows.map((row) => row['办理状态'])).toEqual(['已撤回', '已撤回']);
    const [first] = await county.query<{ anomaly_id: number; version: number }>(
      'SELECT anomaly_id, version FROM anomalies.anomaly ORDER BY anomaly_id',
    );
    await giveBack(first?.anomaly_id ?? 0, first?.version ?? 0, 'public-security');
    const [next] = await issue();
    expect(next?.number).toBe('XH-2026-public-security-0002');
    expect(await withdrawnBefore(county.warehouse, 'XH-2026-public-security-0002')).toBe(
      `以前的校核单中已撤回、不必再办理的行：${LIST} 第 1–2 行。`,
    );
    expect(await withdrawnBefore(county.warehouse, LIST)).toBeNull();
    const [, again] = await filesOf('XH-2026-public-security-0002');
    expect((await tableOf(again ?? { name: '', bytes: Buffer.alloc(0) }))[0]).toMatchObject({
      行号: '1',
      办理状态: '待办理',
    });
  });

  test('takes an answer that changes nothing but itself, and the reader is told', async () => {
    await withdrawn();
    const before = await statuses();
    const file = await answered(LIST, { 1: ['核实无误', '无误'], 2: ['已更正'] });
    expect(await takeReplies(county.warehouse, answeredFileAt(file), replying())).toEqual({
      ...{ taken: 2, known: 0, unanswered: 0 },
      withdrawn: [
        { number: LIST, line: 1 },
        { number: LIST, line: 2 },
      ],
    });
    expect(await statuses()).toEqual(before);
    expect(await takeReplies(county.warehouse, answeredFileAt(file), replying())).toMatchObject({
      ...{ taken: 0, known: 2 },
    });
    const said = await popshare(['corrections', 'reply', file]);
    expect(said.stdout).toContain('0 answers taken, 2 known before');
  });

  test('stands again when the bulk action was one upon it, and is undone', async () => {
    await returnedCases();
    await issue();
    const { bulk_id } = await actInBulk(county.warehouse, {
      ...{ action: 'assign', actor: officer, reason: 'by_subject', owner: 'li' },
      ...{ today: TONIGHT, dueDates: await loadDueDates(county.configuration) },
      ...{ filter: { feed: ['household_register'] }, limit: 100, groupAbove: 100 },
    });
    const page = { department: 'public-security', after: null, limit: 10 };
    expect(await listCorrections(county.warehouse, page)).toMatchObject([{ lines: 2, withdrawn: 2 }]);
    await undoBulk(county.warehouse, bulk_id, { actor: officer, today: TONIGHT });
    expect(await listCorrections(county.warehouse, page)).toMatchObject([{ lines: 2, withdrawn: 0 }]);
  });
});

describe('deadlines', () => {
  const escalate = (on: string) =>
    county.warehouse.db.transaction().execute((tx) => escalateOverdue(tx, toRunId(1), on));

  test('a line is escalated once, on the day after its deadline', async () => {
    await returnedCases();
    const [list] = await issue();
    expect(await escalate(list?.due_on ?? '')).toBe(0);
    expect(await escalate('2027-06-01')).toBe(3);
    expect(await escalate('2027-06-02')).toBe(0);
    expect(await county.query(`SELECT FROM anomalies.anomaly_event WHERE kind = 'escalated'`)).toHaveLength(
      3,
    );
  });

  test('a case that is closed, or came back to the queue, is not escalated', async () => {
    await returnedCases();
    await issue();
    const file = await answered('XH-2026-civil-affairs-0001', { 1: ['非本部门'] });
    await takeReplies(county.warehouse, answeredFileAt(file), {
      by: '民政',
      on: TONIGHT,
      within: county.warehouse,
    });
    expect(await escalate('2027-06-01')).toBe(2);
  });
});

test('without a folder to write to no list is issued', async () => {
  await returnedCases();
  const issuing = await popshare(['corrections', 'issue', '--out', '/dev/null/lists']);
  expect(issuing).toMatchObject({ code: 2, stdout: '', stderr: expect.stringMatching(/^OUTPUT_FOLDER: /) });
  expect(await issue()).toHaveLength(2);
});
