import { Buffer } from 'node:buffer';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { DeliveryReport } from '../../src/jobs/deliveries.ts';
import { cell, row, workbook, workbookParts, zip } from '../decode/workbook-writer.ts';
import { fileOf, title, useCounty } from '../support/drop.ts';

const county = useCounty();
const DATE = '2026-11-18';
const MEBIBYTE = 1024 * 1024;
const CSV = 'death_registration';
const WORKBOOK = 'subsistence_allowance';
const row1 = '1,,wang,1,,20261101,,,2026-11-01 08:00:00';

/** A night with this file, announced as so many rows, and a good delivery of another feed before and after it. */
async function night(feed: string, bytes: Buffer, rows: number): Promise<DeliveryReport> {
  await county.deliverBytes(feed, DATE, bytes, rows);
  const report = await county.night(DATE, ['housing_ownership', 'marriage_registration', feed]);
  expect(report.status).toBe('done');
  const delivery = report.deliveries.find((candidate) => candidate.feed === feed);
  if (delivery === undefined) throw new Error(`no delivery of ${feed}`);
  return delivery;
}

beforeEach(async () => {
  const marriage = {
    certificate_number: 'J1',
    event: '结婚',
    registered_on: '20260101',
    husband_name: '王强',
  };
  await county.deliver('marriage_registration', DATE, [
    { ...marriage, wife_name: '李娜', updated_at: '2026-11-01 08:00:00' },
  ]);
  await county.deliver('housing_ownership', DATE, [title('A', '王强')]);
});

/** Whatever came, the rest of the night is applied and nothing is left lying about. */
afterEach(async () => {
  const others = await county.query(
    `SELECT feed, status FROM ops.delivery WHERE feed NOT IN ($1, $2) ORDER BY feed`,
    [CSV, WORKBOOK],
  );
  expect(others).toEqual([
    { feed: 'housing_ownership', status: 'applied' },
    { feed: 'marriage_registration', status: 'applied' },
  ]);
  expect(await county.query(`SELECT tablename FROM pg_tables WHERE schemaname = 'stage'`)).toEqual([]);
});

describe('a file that cannot be read as its format is held, and says why', () => {
  test.each<[string, Buffer, RegExp]>([
    ['an empty file', Buffer.alloc(0), /^FD03 .*0 bytes/],
    ['blank lines', Buffer.from('\n\n\r\n'), /^FD03 .*no header/],
    [
      'binary rubbish',
      Buffer.from(Array.from({ length: 5000 }, (_, index) => (index * 7919) % 256)),
      /^FD0[37] /,
    ],
    ['a PDF', Buffer.from('%PDF-1.7\n1 0 obj\n'), /^FD03 .*PDF/],
    ['a workbook instead of CSV', workbook({ rows: row(cell('火化编号')) }), /^FD03 .*workbook/],
    [
      '10,000 columns',
      Buffer.from(`${Array.from({ length: 10_000 }, (_, index) => `c${index}`).join(',')}\n`),
      /^FD03 .*10000 columns; 2000/,
    ],
    ['an unclosed quote', Buffer.from('姓名,别名\n"王强,x\n李娜,y\n'), /^FD03 .*quote/],
    ['a header with a column twice', Buffer.from('姓名,姓名\n1,2\n'), /^FD03 .*twice/],
    ['lines that end with a carriage return', Buffer.from('火化编号,姓名\r1,2\r'), /^FD03 .*line feed/],
  ])('%s', async (_what, bytes, reason) => {
    const delivery = await night(CSV, bytes, 1);
    expect(delivery).toMatchObject({ status: 'held', received: null });
    expect(delivery.reason).toMatch(reason);
  });

  test('a line of 200 MB', async () => {
    const delivery = await night(CSV, Buffer.alloc(200 * MEBIBYTE, 'x'), 1);
    expect(delivery).toMatchObject({
      status: 'held',
      reason: expect.stringMatching(/^FD03 .*1048576 bytes/),
    });
  });

  test('a workbook that is an archive bomb', async () => {
    const sharedStrings = '<si><t>x</t></si>'.repeat(1_500_000);
    const parts = workbookParts({ rows: row(cell('低保证号')), sharedStrings });
    const delivery = await night(WORKBOOK, zip(parts), 1);
    expect(delivery).toMatchObject({ status: 'held', reason: expect.stringMatching(/^FD03 .*archive bomb/) });
  });

  test('a workbook cut off in the middle', async () => {
    const whole = workbook({ rows: row(cell('低保证号')) });
    const delivery = await night(WORKBOOK, whole.subarray(0, whole.length / 2), 1);
    expect(delivery).toMatchObject({ status: 'held', reason: expect.stringMatching(/^FD03 /) });
  });
});

describe('a file that can be read is judged row by row', () => {
  const file = (...lines: string[]): Buffer =>
    Buffer.concat([
      fileOf(county.binding(CSV), []),
      Buffer.from(lines.map((line) => `${line}\r\n`).join('')),
    ]);
  const good = Array.from({ length: 20 }, (_, index) => row1.replace('1,', `G${index},`));
  const rejected = (): Promise<{ code: string; message: string }[]> =>
    county.query('SELECT code, message FROM ops.rejected_row ORDER BY line');

  test('a header alone: nothing new, and that is in order for an incremental feed', async () => {
    expect(await night(CSV, file(), 0)).toMatchObject({ status: 'applied', received: 0 });
  });

  test('a header alone is too little for a snapshot', async () => {
    const delivery = await night(WORKBOOK, fileOf(county.binding(WORKBOOK), []), 0);
    expect(delivery).toMatchObject({ status: 'held', reason: expect.stringMatching(/^FD02 /) });
  });

  test('a NUL character', async () => {
    county.setGates({ undecodable_percent: 10 });
    const delivery = await night(CSV, file(...good, row1.replace('wang', 'wa\0ng')), 21);
    expect(delivery).toMatchObject({ status: 'applied', accepted: 20, rejected: 1 });
    expect(await rejected()).toEqual([{ code: 'ENCODING', message: expect.stringContaining('NUL') }]);
  });

  test('a quote that is closed only lines later swallows them: the control total tells', async () => {
    const delivery = await night(
      CSV,
      file(...good, '"2,,li', '3,,liu",1,,20261101,,,2026-11-01 08:00:00'),
      22,
    );
    expect(delivery).toMatchObject({ status: 'held', received: 21, reason: expect.stringMatching(/FD05/) });
  });

  test('a row of 10,000 fields, a row of one', async () => {
    county.setGates({ rejected_percent: 10 });
    const delivery = await night(CSV, file(...good, 'x,'.repeat(9_999), 'x'), 22);
    expect(delivery).toMatchObject({ status: 'applied', accepted: 20, rejected: 2 });
    expect(await rejected()).toEqual([
      { code: 'COLUMN_COUNT', message: '应有 9 列，实有 10000 列' },
      { code: 'COLUMN_COUNT', message: '应有 9 列，实有 1 列' },
    ]);
  });

  test('keys twice and three times', async () => {
    const delivery = await night(CSV, file(row1, row1, row1.replace('wang', 'li')), 3);
    expect(delivery).toMatchObject({ status: 'applied', received: 3, new: 1, unchanged: 2 });
    expect(await county.records(CSV, 'name')).toEqual({ 1: 'li' });
  });

  test('text that spreadsheets take for a formula, and SQL, is text', async () => {
    const name = "=HYPERLINK('x');DROP TABLE ops.run--\\N\t";
    expect(await night(CSV, file(row1.replace('wang', name)), 1)).toMatchObject({
      status: 'applied',
      new: 1,
    });
    expect(await county.records(CSV, 'name')).toEqual({ 1: name.trim() });
  });

  test('formulas of a workbook count for what they show', async () => {
    const header = row(...Object.values(county.binding(WORKBOOK).columns).map(cell));
    const member = (number: string, amount: string): string =>
      row(
        cell('L1'),
        cell(number),
        cell(''),
        cell('王强'),
        cell(''),
        cell(''),
        cell(''),
        amount,
        cell(''),
        cell(''),
        cell(''),
      );
    const rows = [
      member('1', '<c><f>500+12.5</f><v>512.5</v></c>'),
      member('2', '<c t="e"><f>1/0</f><v>#DIV/0!</v></c>'),
    ];
    county.setGates({ rejected_percent: 50 });
    const delivery = await night(WORKBOOK, workbook({ rows: header + rows.join('') }), 2);
    expect(delivery).toMatchObject({ status: 'applied', accepted: 1, rejected: 1 });
    expect(await county.records(WORKBOOK, 'monthly_amount')).toEqual({ 'L1|1': '512.5' });
    expect(await rejected()).toEqual([{ code: 'NOT_A_NUMBER', message: '月保障金额：不是数字' }]);
  });

  test('dates beyond what the database stores, numbers beyond their type', async () => {
    county.setGates({ rejected_percent: 100 });
    const dates = ['00000000', '20261301', '20260230', '99999999', '-0001-01-01', '20261101 BC'];
    const delivery = await night(
      CSV,
      file(...dates.map((date, index) => `${index},,x,1,,${date},,,2026-11-01 08:00:00`)),
      dates.length,
    );
    expect(delivery).toMatchObject({ status: 'applied', rejected: dates.length });
    const member = { allowance_number: 'L1', name: '王强', monthly_amount: '1' };
    const numbers = ['999999999', '9999999999', '1e9', '０１'].map((number) => ({
      ...member,
      member_number: number,
    }));
    expect(await night(WORKBOOK, fileOf(county.binding(WORKBOOK), numbers), 4)).toMatchObject({
      status: 'applied',
      rejected: 3,
    });
  });
});
