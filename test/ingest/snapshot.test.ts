import { describe, expect, test } from 'vitest';
import { title, useCounty } from '../support/drop.ts';

const county = useCounty('ingest');
const FEED = 'housing_ownership';
const [FIRST, SECOND, THIRD, FOURTH] = ['2026-11-18', '2026-11-19', '2026-11-20', '2026-11-21'];
const owners = (asOf?: string): Promise<Record<string, string>> => county.records(FEED, 'owner_name', asOf);

describe('a snapshot', () => {
  test('the first one makes every row a record', async () => {
    const delivery = await county.send(FEED, FIRST, [title('A', '王强'), title('B', '李娜')]);
    expect(delivery).toMatchObject({
      status: 'applied',
      received: 2,
      accepted: 2,
      rejected: 0,
      new: 2,
      changed: 0,
      unchanged: 0,
      removed: 0,
    });
    expect(await owners()).toEqual({ A: '王强', B: '李娜' });
    expect(await owners('2026-11-17')).toEqual({});
  });

  test('the same content again changes nothing, whether the bytes are the same or not', async () => {
    await county.send(FEED, FIRST, [title('A', '王强'), title('B', '李娜')]);
    const untouched = await county.query(`SELECT xmin, * FROM registry.${FEED} ORDER BY source_key`);

    const sameBytes = await county.send(FEED, SECOND, [title('A', '王强'), title('B', '李娜')]);
    expect(sameBytes).toMatchObject({
      status: 'unchanged',
      accepted: 2,
      new: 0,
      changed: 0,
      unchanged: 2,
      removed: 0,
    });
    const findings = await county.query('SELECT rule, holds FROM ops.gate_finding');
    expect(findings).toEqual([{ rule: 'FD04', holds: false }]);

    const otherOrder = await county.send(FEED, THIRD, [title('B', '李娜'), title('A', '王强')]);
    expect(otherOrder).toMatchObject({ status: 'applied', new: 0, changed: 0, unchanged: 2, removed: 0 });

    expect(await county.query(`SELECT xmin, * FROM registry.${FEED} ORDER BY source_key`)).toEqual(untouched);
    expect(await county.query(`SELECT * FROM registry.${FEED}_history`)).toEqual([]);
  });

  test('changed, removed and returned rows have a history that answers for each date', async () => {
    await county.send(
      FEED,
      FIRST,
      ['A', 'B', 'C', 'D', 'E', 'F'].map((key) => title(key, '王强')),
    );
    const second = ['A', 'C', 'D', 'E', 'F'].map((key) => title(key, key === 'A' ? '李娜' : '王强'));
    expect(await county.send(FEED, SECOND, second)).toMatchObject({
      changed: 1,
      removed: 1,
      unchanged: 4,
      new: 0,
    });
    const third = ['A', 'B', 'C', 'D', 'E', 'F', 'G'].map((key) => title(key, key === 'B' ? '张伟' : '王强'));
    expect(await county.send(FEED, THIRD, third)).toMatchObject({
      changed: 1,
      removed: 0,
      unchanged: 4,
      new: 2,
    });

    const everybody = { A: '王强', B: '王强', C: '王强', D: '王强', E: '王强', F: '王强' };
    const { B: _gone, ...withoutB } = everybody;
    expect(await owners(FIRST)).toEqual(everybody);
    expect(await owners(SECOND)).toEqual({ ...withoutB, A: '李娜' });
    expect(await owners(THIRD)).toEqual({ ...everybody, B: '张伟', G: '王强' });
    expect(await owners(FOURTH)).toEqual(await owners());
  });

  test('of rows with one key the last stands, and the others count as unchanged', async () => {
    const delivery = await county.send(FEED, FIRST, [
      title('A', '王强'),
      title('B', '李娜'),
      title('A', '张伟'),
    ]);
    expect(delivery).toMatchObject({ status: 'applied', received: 3, accepted: 3, new: 2, unchanged: 1 });
    expect(await owners()).toEqual({ A: '张伟', B: '李娜' });
  });

  test('one that comes after a newer one changes nothing, and says so', async () => {
    await county.send(FEED, SECOND, [title('A', '王强'), title('B', '李娜')]);
    const late = await county.send(FEED, FIRST, [title('A', '张伟'), title('C', '李娜')]);
    expect(late).toMatchObject({
      status: 'unchanged',
      accepted: 2,
      new: 0,
      changed: 0,
      unchanged: 2,
      removed: 0,
    });
    expect(late.reason).toContain(SECOND);
    expect(await owners()).toEqual({ A: '王强', B: '李娜' });
    expect(await owners(FIRST)).toEqual({});

    const next = await county.send(FEED, THIRD, [title('A', '王强'), title('B', '李娜')]);
    expect(next).toMatchObject({ status: 'unchanged', unchanged: 2 });
  });

  test('another file for the same date replaces what the first one said', async () => {
    await county.send(FEED, FIRST, [title('A', '王强'), title('B', '李娜')]);
    const mended = await county.send(FEED, FIRST, [title('A', '张伟'), title('B', '李娜')]);
    expect(mended).toMatchObject({ status: 'applied', changed: 1, unchanged: 1 });
    expect(await owners(FIRST)).toEqual({ A: '张伟', B: '李娜' });
    expect(await county.query('SELECT sequence, status FROM ops.delivery ORDER BY sequence')).toEqual([
      { sequence: 1, status: 'applied' },
      { sequence: 2, status: 'applied' },
    ]);
  });

  test('a workbook is applied as any other file', async () => {
    const member = (number: string, name: string): Record<string, string> => ({
      allowance_number: 'L1',
      member_number: number,
      name,
      monthly_amount: '512.50',
    });
    await county.send('subsistence_allowance', FIRST, [member('1', '王强'), member('2', '李娜')]);
    expect(await county.records('subsistence_allowance', 'monthly_amount')).toEqual({
      'L1|1': '512.50',
      'L1|2': '512.50',
    });
  });
});
