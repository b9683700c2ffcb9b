import iconv from 'iconv-lite';
import { beforeEach, describe, expect, test } from 'vitest';
import { exportRejectedRows } from '../../src/ingest/rejected-rows.ts';
import { death, fileOf, title, useCounty } from '../support/drop.ts';

const county = useCounty('ingest');
const [FIRST, SECOND, THIRD] = ['2026-11-18', '2026-11-19', '2026-11-20'];
const open = (): Promise<Record<string, unknown>[]> =>
  county.query(
    'SELECT line, source_key, field, code FROM ops.rejected_row WHERE mended_by IS NULL ORDER BY delivery_id, line',
  );

beforeEach(() => county.setGates({ rejected_percent: 100, undecodable_percent: 100, fewer_percent: 100 }));

describe('a row that the contract refuses', () => {
  test('is kept whole with its reason, and the others are applied', async () => {
    const delivery = await county.send('death_registration', FIRST, [
      death('1', '王强', '01 08:00:00'),
      death('2', '', '01 08:00:00'),
      death('3', '李娜', '01 08:00:00', { died_on: '去年' }),
    ]);
    expect(delivery).toMatchObject({ status: 'applied', received: 3, accepted: 1, rejected: 2, new: 1 });
    expect(await open()).toEqual([
      { line: 3, source_key: '2', field: '姓名', code: 'REQUIRED' },
      { line: 4, source_key: '3', field: '死亡日期', code: 'NOT_A_DATE' },
    ]);
    const [kept] = await county.query(
      'SELECT fields, message FROM reporting.rejected_row JOIN ops.rejected_row USING (delivery_id, line, message) WHERE line = 4',
    );
    expect(kept).toMatchObject({
      message: expect.stringContaining('死亡日期'),
      fields: expect.arrayContaining(['去年']),
    });
  });

  test('does not remove the record that stands', async () => {
    await county.send('housing_ownership', FIRST, [
      title('A', '王强'),
      title('B', '李娜'),
      title('C', '张伟'),
    ]);
    const second = await county.send('housing_ownership', SECOND, [
      title('A', '王强'),
      title('B', '李娜', { registered_on: '?' }),
    ]);
    expect(second).toMatchObject({ rejected: 1, unchanged: 1, removed: 1 });
    expect(await county.records('housing_ownership', 'owner_name')).toEqual({ A: '王强', B: '李娜' });
  });

  test('and has no key does not remove the record that it may be, until a snapshot can be read', async () => {
    const title4 = [title('A', '王强'), title('B', '李娜'), title('C', '张伟'), title('D', '赵敏')];
    await county.send('housing_ownership', FIRST, title4);
    const second = await county.send('housing_ownership', SECOND, [
      title('A', '王强'),
      title('', '李娜'),
      title('', '张伟', { registered_on: '?' }),
      title('', ''),
    ]);
    expect(second).toMatchObject({ rejected: 3, unchanged: 1, removed: 1 });
    expect(Object.keys(await county.records('housing_ownership', 'owner_name'))).toEqual(['A', 'B', 'C']);
    expect(
      await county.send('housing_ownership', THIRD, [title('A', '王强'), title('C', '张伟')]),
    ).toMatchObject({
      removed: 1,
    });
    expect(await open()).toEqual([]);
  });

  test('and has no key, but a document number, keeps nobody of the same name with another', async () => {
    const number = '620802198001010015';
    await county.send('housing_ownership', FIRST, [
      title('A', '王强', { owner_id_number: number }),
      title('B', '王强', { owner_id_number: '62080219800101004X' }),
      title('C', '李娜'),
    ]);
    await county.send('housing_ownership', SECOND, [
      title('', '王强', { owner_id_number: number }),
      title('C', '李娜'),
    ]);
    expect(Object.keys(await county.records('housing_ownership', 'owner_name'))).toEqual(['A', 'C']);
  });

  test('of a snapshot is answered by the next snapshot, in it or not', async () => {
    const bad = (key: string): ReturnType<typeof title> => title(key, '王强', { registered_on: '?' });
    await county.send('housing_ownership', FIRST, [bad('A'), bad('B'), bad('C'), title('D', '李娜')]);
    expect(await open()).toHaveLength(3);
    await county.send('housing_ownership', SECOND, [title('A', '王强'), bad('B'), title('D', '李娜')]);
    expect(await open()).toMatchObject([{ source_key: 'B' }]);
    expect(await county.query('SELECT count(*) AS kept FROM ops.rejected_row')).toEqual([{ kept: 4 }]);
    await county.send('housing_ownership', THIRD, [
      title('A', '王强'),
      title('B', '王强'),
      title('D', '李娜'),
    ]);
    expect(await open()).toEqual([]);
  });

  test('of a snapshot that comes too late is answered by the one that stands', async () => {
    await county.send('housing_ownership', SECOND, [title('A', '王强')]);
    const late = await county.send('housing_ownership', FIRST, [title('A', '王强', { registered_on: '?' })]);
    expect(late).toMatchObject({ status: 'unchanged', rejected: 1 });
    expect(await open()).toEqual([]);
  });

  test('of an incremental feed is answered only by its own key', async () => {
    await county.send('death_registration', FIRST, [
      death('1', '', '01 08:00:00'),
      death('2', '', '01 08:00:00'),
    ]);
    await county.send('death_registration', SECOND, [death('1', '王强', '02 08:00:00')]);
    expect(await open()).toMatchObject([{ source_key: '2' }]);
    await county.send('death_registration', THIRD, [death('2', '', '03 08:00:00')]);
    expect(await open()).toMatchObject([{ source_key: '2', line: 2 }]);
    expect(await county.query('SELECT count(*) AS kept FROM ops.rejected_row')).toEqual([{ kept: 3 }]);
  });

  test('of an incremental feed, without a key, is answered by the same row with one, or without', async () => {
    await county.send('death_registration', FIRST, [
      death('', '王强', '01 08:00:00'),
      death('', '李娜', '01 08:00:00'),
      death('', '张伟', '01 08:00:00', { died_on: '去年' }),
    ]);
    await county.send('death_registration', SECOND, [
      death('1', '王强', '02 08:00:00'),
      death('2', '李娜', '02 08:00:00', { died_on: '20261031' }),
      death('3', '张伟', '02 08:00:00'),
      death('4', '赵敏', '02 08:00:00'),
    ]);
    expect(await open()).toMatchObject([{ line: 3 }]);
    await county.send('death_registration', THIRD, [death('', '李娜', '01 08:00:00')]);
    expect(await open()).toMatchObject([{ line: 2 }]);
  });
});

describe('the export of rejected rows', () => {
  test('gives the bytes of the source, undecodable ones included', async () => {
    const feed = 'death_registration';
    const good = fileOf(county.binding(feed), [death('1', '王强', '01 08:00:00')]);
    const header = good.subarray(0, good.indexOf('\n') + 1);
    // 0xFF begins no character of GB 18030; a lead byte before the delimiter swallows nothing of it.
    const undecodable = Buffer.concat([
      Buffer.from('2,,'),
      Buffer.from([0xff, 0xfe]),
      iconv.encode('强,1,19500101,20261101,,,2026-11-01 08:00:00\r\n', 'gb18030'),
    ]);
    const rare = iconv.encode(
      '3,,𠮷㐂𬀩,1,不是日期,20261101,,"东大街,1号",2026-11-01 08:00:00\r\n',
      'gb18030',
    );
    const short = Buffer.from('4,\r\n');
    await county.deliverBytes(feed, FIRST, Buffer.concat([good, undecodable, rare, short]), 4);
    expect(await county.ingest(feed, FIRST)).toMatchObject({ status: 'applied', accepted: 1, rejected: 3 });
    expect(await open()).toMatchObject([
      { code: 'ENCODING' },
      { code: 'NOT_A_DATE' },
      { code: 'COLUMN_COUNT' },
    ]);

    const [rows, reasons] = await exportRejectedRows(county.warehouse, county.binding(feed));
    expect(rows).toMatchObject({
      name: expect.stringMatching(/^death_registration_20261118_\d+_rejected\.csv$/),
      rows: 3,
    });
    expect(rows?.bytes).toEqual(Buffer.concat([header, undecodable, rare, short]));
    expect(reasons?.bytes.toString()).toMatch(
      /^\ufeff行号,原因\r\n3,.*字节.*\r\n4,出生日期：不是日期.*\r\n5,应有 9 列，实有 2 列\r\n$/,
    );
  });

  test('gives a workbook’s rows as CSV in UTF-8', async () => {
    const member = { allowance_number: 'L1', member_number: '1', name: '王强', monthly_amount: '很多' };
    await county.send('subsistence_allowance', FIRST, [member]);
    const [rows] = await exportRejectedRows(county.warehouse, county.binding('subsistence_allowance'));
    expect(rows?.bytes.toString()).toMatch(/^低保证号,成员序号,.*\r\nL1,1,,王强,,,,很多,,,\r\n$/);
  });

  test('leaves out what later deliveries mended', async () => {
    await county.send('death_registration', FIRST, [death('1', '', '01 08:00:00')]);
    await county.send('death_registration', SECOND, [death('1', '王强', '02 08:00:00')]);
    expect(await exportRejectedRows(county.warehouse, county.binding('death_registration'))).toEqual([]);
  });
});
