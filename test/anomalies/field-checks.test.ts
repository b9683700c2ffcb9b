import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { Readable } from 'node:stream';
import { describe, expect, test } from 'vitest';
import { answeredFileAt } from '../../src/anomalies/answered-file.ts';
import { takeFieldReports } from '../../src/anomalies/field-checks/answer.ts';
import { askVillage } from '../../src/anomalies/field-checks/ask.ts';
import { fieldCheckFile } from '../../src/anomalies/field-checks/list-file.ts';
import { HEADINGS } from '../../src/anomalies/field-checks/words.ts';
import { loadDueDates } from '../../src/anomalies/queue/due-dates.ts';
import { decodeRows } from '../../src/ingest/decode/decode.ts';
import { register, TONIGHT, useRules, WANG } from '../rules/situation.ts';

const { county, night } = useRules();
const VILLAGE = '620802001001';
const BRINGING = { by: '李娜', on: TONIGHT };

async function openCase(): Promise<number> {
  await night('DQ06', {
    household_register: [register('H1', { sex: '2', registered_address: '东大街1号' })],
  });
  const [found] = await county.query<{ anomaly_id: number }>('SELECT anomaly_id FROM anomalies.anomaly');
  return found?.anomaly_id ?? 0;
}

const ask = async (
  caseId: number,
  village: string | null = VILLAGE,
  question = '是否居住在此？',
): Promise<number> =>
  askVillage(county.warehouse, await loadDueDates(county.configuration), {
    caseId,
    village,
    question,
    by: '李娜',
    on: TONIGHT,
  });

async function reports(...lines: readonly (readonly string[])[]): Promise<string> {
  const file = path.join(county.base, 'back.csv');
  await writeFile(file, `${[Object.values(HEADINGS), ...lines].map((line) => line.join(',')).join('\n')}\n`);
  return file;
}

describe('field checks', () => {
  test('a village is asked once, and its list has whom to look for, without number or phone', async () => {
    const caseId = await openCase();
    const checkId = await ask(caseId, null);
    await expect(ask(caseId)).rejects.toMatchObject({ code: 'FIELD_CHECK' });
    const file = await fieldCheckFile(county.warehouse, VILLAGE, '李娜', county.rules);
    if (file === null) throw new Error('the village has a question');
    const { header, rows } = await decodeRows(Readable.from([file.bytes]), { format: 'xlsx', gzip: false });
    const [batch] = await Array.fromAsync(rows);
    const fields = batch?.[0]?.fields ?? [];
    expect(header[0]).toBe(HEADINGS.check);
    expect(fields.slice(0, 3)).toEqual([String(checkId), '王强', '东大街1号']);
    expect(fields.join()).not.toContain(WANG.id_number);
    const [logged] = await county.query(
      'SELECT action, actor FROM audit.entry ORDER BY entry_id DESC LIMIT 1',
    );
    expect(logged).toEqual({ action: 'export', actor: '李娜' });
  });

  test.each([
    ['there is not', '620802001099', /no village 620802001099; 620802001000 has 620802001001 /],
    ['is a township', '620802001000', /no village 620802001000; 620802001000 has 620802001001 /],
    ['is no code', '12', /no village 12; \d{12} has /],
  ])('a village that %s is not asked', async (_what, village, message) => {
    await expect(ask(await openCase(), village)).rejects.toMatchObject({
      code: 'FIELD_CHECK',
      message: expect.stringMatching(message),
    });
    expect(await county.query('SELECT FROM anomalies.field_check')).toEqual([]);
  });

  test.each([
    ['no question', ' '],
    ['a question that fits into no cell', '问'.repeat(501)],
  ])('%s is not asked', async (_what, question) => {
    await expect(ask(await openCase(), null, question)).rejects.toMatchObject({ code: 'FIELD_CHECK' });
  });

  test('an answer comes to its case, which stays where it is; a second answer changes nothing', async () => {
    const caseId = await openCase();
    const checkId = await ask(caseId);
    const file = await reports([String(checkId), '本人居住在此', '在家', '张主任']);
    expect(await takeFieldReports(county.warehouse, answeredFileAt(file), BRINGING)).toBe(1);
    expect(await takeFieldReports(county.warehouse, answeredFileAt(file), BRINGING)).toBe(0);
    expect(
      await county.query(
        `SELECT actor, reason, comment, to_status FROM anomalies.anomaly_event WHERE kind = 'field_answer'`,
      ),
    ).toEqual([{ actor: '张主任', reason: 'lives_here', comment: '在家', to_status: 'new' }]);
    const [logged] = await county.query('SELECT actor FROM audit.entry ORDER BY entry_id DESC LIMIT 1');
    expect(logged).toEqual({ actor: '李娜' });
    expect(await fieldCheckFile(county.warehouse, VILLAGE, '李娜', county.rules)).toBeNull();
    expect(await ask(caseId)).toBeGreaterThan(checkId);
  });

  test('two villages that were asked about one case both answer to it, also in one file', async () => {
    const caseId = await openCase();
    const [here, there] = [await ask(caseId), await ask(caseId, '620802001002')];
    const file = await reports(
      [String(there), '查无此人', '', '李主任'],
      [String(here), '已离开本县', '去年搬走', '李主任'],
    );
    expect(await takeFieldReports(county.warehouse, answeredFileAt(file), BRINGING)).toBe(2);
    expect(
      await county.query(
        `SELECT reason, comment FROM anomalies.anomaly_event WHERE kind = 'field_answer' ORDER BY reason`,
      ),
    ).toEqual([
      { reason: 'moved_away', comment: '去年搬走' },
      { reason: 'nobody_knows', comment: null },
    ]);
  });

  test('a list with a wrong line is refused whole', async () => {
    const checkId = await ask(await openCase());
    const file = await reports(
      [String(checkId), '本人居住在此', '', '张主任'],
      ['999', '已离开本县', '', '张主任'],
      [String(checkId), '其他', '', '张主任'],
      [String(checkId), '在', '', ''],
      [String(checkId), '已去世', '', '张主任'],
      ['1e3', '已去世', '', '张主任'],
      ['99999999999', '已去世', '', '张主任'],
    );
    await expect(takeFieldReports(county.warehouse, answeredFileAt(file), BRINGING)).rejects.toThrow(
      /第 4 行：情况说明未填写；第 5 行：核查结果应为 .*；第 6 行：核查 \d+ 填写了两次；第 7 行：核查编号不是数字；第 8 行：核查编号不是数字；没有核查 999/,
    );
    expect(await county.query('SELECT FROM anomalies.field_check WHERE answer IS NOT NULL')).toEqual([]);
  });

  test('a closed case, an unknown case and a case without a village are refused', async () => {
    const caseId = await openCase();
    await expect(ask(caseId, '620802001000')).rejects.toMatchObject({ code: 'FIELD_CHECK' });
    await expect(ask(caseId + 1)).rejects.toMatchObject({ code: 'CASE_UNKNOWN' });
    await night('DQ06', { household_register: [register('H1')] });
    await expect(ask(caseId)).rejects.toMatchObject({ code: 'FIELD_CHECK' });
  });
});
