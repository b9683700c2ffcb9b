import { describe, expect, test } from 'vitest';
import { death, fileOf, type Row, title, useCounty } from '../support/drop.ts';

const county = useCounty('ingest');
const [FIRST, SECOND, THIRD] = ['2026-11-18', '2026-11-19', '2026-11-20'];
const SNAPSHOT = 'housing_ownership';
const titles = (count: number): Row[] =>
  Array.from({ length: count }, (_, index) => title(`T${index}`, '王强'));
const deaths = (count: number): Row[] =>
  Array.from({ length: count }, (_, index) => death(`D${index}`, '李娜', '01 08:00:00'));
const findings = (): Promise<{ rule: string; holds: boolean; evidence: Record<string, unknown> }[]> =>
  county.query('SELECT rule, holds, evidence FROM ops.gate_finding ORDER BY delivery_id, rule');

describe('FD02 数量异常', () => {
  test.each([
    [20, 16, 'applied'],
    [20, 15, 'held'],
    [20, 30, 'applied'],
    [20, 31, 'held'],
    [20, 0, 'held'],
  ])('a snapshot of %i rows followed by one of %i is %s', async (before, now, status) => {
    await county.send(SNAPSHOT, FIRST, titles(before));
    const delivery = await county.send(SNAPSHOT, SECOND, titles(now));
    expect(delivery).toMatchObject({ status, received: now });
    expect(Object.keys(await county.records(SNAPSHOT, 'owner_name'))).toHaveLength(
      status === 'held' ? before : now,
    );
    if (status === 'held') {
      expect(delivery.reason).toMatch(/^FD02 数量异常/);
      expect(await findings()).toEqual([
        { rule: 'FD02', holds: true, evidence: { received: now, last_accepted: before } },
      ]);
    }
  });

  test('a first snapshot without rows is held', async () => {
    expect(await county.send(SNAPSHOT, FIRST, [])).toMatchObject({ status: 'held' });
  });

  test('is measured against the last accepted, not against what was held', async () => {
    await county.send(SNAPSHOT, FIRST, titles(20));
    await county.send(SNAPSHOT, SECOND, titles(5));
    expect(await county.send(SNAPSHOT, THIRD, titles(19))).toMatchObject({ status: 'applied', removed: 1 });
  });

  test('does not look at incremental feeds', async () => {
    await county.send('death_registration', FIRST, deaths(20));
    expect(await county.send('death_registration', SECOND, deaths(1))).toMatchObject({ status: 'applied' });
  });
});

describe('FD03 结构变化', () => {
  const renamed = (from: string, to: string): Buffer => {
    const text = fileOf(county.binding(SNAPSHOT), titles(20)).toString();
    return Buffer.from(text.replace(from, to));
  };

  test('a renamed column holds, with the likely new name', async () => {
    await county.deliverBytes(SNAPSHOT, FIRST, renamed('权利人姓名', '权利人名称'), 20);
    const delivery = await county.ingest(SNAPSHOT, FIRST);
    expect(delivery).toMatchObject({ status: 'held', received: 20, accepted: null });
    expect(delivery.reason).toContain('“权利人姓名”可能改名为“权利人名称”');
    expect(await findings()).toMatchObject([
      {
        rule: 'FD03',
        holds: true,
        evidence: { missing: ['权利人姓名'], likely_renames: [{ from: '权利人姓名', to: '权利人名称' }] },
      },
    ]);
  });

  test('of several renamed columns each finds the name most like it', async () => {
    const header =
      '不动产权证号,房屋编号,房屋地址,区划代码,建筑面积,权利人证件号码,权利人名,登记日期,房屋状态,备注';
    await county.deliverBytes(SNAPSHOT, FIRST, Buffer.from(`${header}\n`), 0);
    await county.ingest(SNAPSHOT, FIRST);
    expect((await findings())[0]?.evidence).toMatchObject({
      extra: ['房屋编号', '权利人名', '备注'],
      likely_renames: [
        { from: '房屋编码', to: '房屋编号' },
        { from: '权利人姓名', to: '权利人名' },
      ],
    });
  });

  test('an optional column that the binding names is missed too', async () => {
    await county.deliverBytes(SNAPSHOT, FIRST, renamed(',房屋状态', ''), 20);
    expect(await county.ingest(SNAPSHOT, FIRST)).toMatchObject({ status: 'held' });
  });

  test('an extra column is accepted and noted', async () => {
    const bytes = Buffer.from(
      fileOf(county.binding(SNAPSHOT), titles(20)).toString().replaceAll('\r\n', ',备注\r\n'),
    );
    await county.deliverBytes(SNAPSHOT, FIRST, bytes, 20);
    expect(await county.ingest(SNAPSHOT, FIRST)).toMatchObject({ status: 'applied', new: 20 });
    expect(await findings()).toEqual([
      { rule: 'FD03', holds: false, evidence: { missing: [], extra: ['备注'] } },
    ]);
  });

  test('columns in another order are no change', async () => {
    const reversed = fileOf(county.binding(SNAPSHOT), titles(20))
      .toString()
      .split('\r\n')
      .map((line) => line.split(',').reverse().join(','))
      .join('\r\n');
    await county.deliverBytes(SNAPSHOT, FIRST, Buffer.from(reversed), 20);
    expect(await county.ingest(SNAPSHOT, FIRST)).toMatchObject({ status: 'applied', new: 20 });
    expect(await findings()).toEqual([]);
  });
});

describe('FD05 控制数不符', () => {
  test.each([
    ['the row count', { rows: 21 }],
    ['the digest', { sha256: 'a'.repeat(64) }],
  ])('%s of the control file differs: held', async (_what, control) => {
    const delivery = await county.send(SNAPSHOT, FIRST, titles(20), { control });
    expect(delivery).toMatchObject({ status: 'held', reason: expect.stringMatching(/^FD05 控制数不符/) });
    expect(await county.records(SNAPSHOT, 'owner_name')).toEqual({});
  });

  test('the digest may be written in capitals', async () => {
    const bytes = fileOf(county.binding(SNAPSHOT), titles(20));
    const { createHash } = await import('node:crypto');
    const sha256 = createHash('sha256').update(bytes).digest('hex').toUpperCase();
    expect(await county.send(SNAPSHOT, FIRST, titles(20), { control: { sha256 } })).toMatchObject({
      status: 'applied',
    });
  });

  test('a control file that differs is not passed over because the bytes are those of yesterday', async () => {
    await county.send(SNAPSHOT, FIRST, titles(20));
    expect(await county.send(SNAPSHOT, SECOND, titles(20), { control: { rows: 25 } })).toMatchObject({
      status: 'held',
    });
  });
});

describe('FD07 编码错误 and FD08 退回率过高', () => {
  /** 200 rows of which so many have bytes that are no GB 18030, and so many an unreadable date. */
  const damaged = async (undecodable: number, unreadable: number): Promise<string> => {
    const rows = deaths(200).map((row, index) => (index < unreadable ? { ...row, died_on: '?' } : row));
    const lines = fileOf(county.binding('death_registration'), rows).toString('latin1').split('\r\n');
    const bytes = lines
      .map((line, index) => (index > 200 - undecodable && index <= 200 ? `${line}\xff` : line))
      .join('\r\n');
    await county.deliverBytes('death_registration', FIRST, Buffer.from(bytes, 'latin1'), 200);
    return (await county.ingest('death_registration', FIRST)).status;
  };

  test.each([
    [2, 0, 'applied', [['FD07', false]]],
    [3, 0, 'held', [['FD07', true]]],
    [0, 10, 'applied', []],
    [0, 11, 'held', [['FD08', true]]],
    [
      2,
      9,
      'held',
      [
        ['FD07', false],
        ['FD08', true],
      ],
    ],
    [
      3,
      9,
      'held',
      [
        ['FD07', true],
        ['FD08', true],
      ],
    ],
  ] as const)(
    'of 200 rows %i undecodable and %i refused: %s',
    async (undecodable, unreadable, status, expected) => {
      expect(await damaged(undecodable, unreadable)).toBe(status);
      expect((await findings()).map(({ rule, holds }) => [rule, holds])).toEqual(expected);
      const rejected = await county.query('SELECT code FROM ops.rejected_row');
      expect(rejected).toHaveLength(undecodable + unreadable);
    },
  );
});

test('several gates speak together, and the rest of the night goes on', async () => {
  await county.send(SNAPSHOT, FIRST, titles(20));
  await county.deliver(SNAPSHOT, SECOND, titles(5), { control: { rows: 20 } });
  await county.deliver('death_registration', SECOND, deaths(20));
  const report = await county.night(SECOND, [SNAPSHOT, 'death_registration']);
  expect(report.status).toBe('done');
  expect(report.deliveries.map(({ feed, status }) => [feed, status])).toEqual([
    ['death_registration', 'applied'],
    [SNAPSHOT, 'held'],
  ]);
  expect((await findings()).map(({ rule }) => rule)).toEqual(['FD02', 'FD05']);
});
