import { describe, expect, test } from 'vitest';
import { death, useCounty } from '../support/drop.ts';

const county = useCounty('ingest');
const FEED = 'death_registration';
const [FIRST, SECOND, THIRD] = ['2026-11-18', '2026-11-19', '2026-11-20'];
const names = (asOf?: string): Promise<Record<string, string>> => county.records(FEED, 'name', asOf);

describe('an incremental delivery', () => {
  test('adds and changes, and its absences mean nothing', async () => {
    await county.send(FEED, FIRST, [death('1', '王强', '01 08:00:00'), death('2', '李娜', '01 08:00:00')]);
    const second = await county.send(FEED, SECOND, [
      death('2', '张伟', '02 08:00:00'),
      death('3', '刘洋', '02 08:00:00'),
    ]);
    expect(second).toMatchObject({ status: 'applied', new: 1, changed: 1, unchanged: 0, removed: 0 });
    expect(await names(FIRST)).toEqual({ 1: '王强', 2: '李娜' });
    expect(await names(SECOND)).toEqual({ 1: '王强', 2: '张伟', 3: '刘洋' });
  });

  test('of repeated rows the latest 更新时间 wins, whatever the order of the file', async () => {
    const delivery = await county.send(FEED, FIRST, [
      death('1', '第二', '01 09:00:00'),
      death('1', '第三', '01 10:00:00'),
      death('1', '第一', '01 08:00:00'),
    ]);
    expect(delivery).toMatchObject({ received: 3, accepted: 3, new: 1, unchanged: 2 });
    expect(await names()).toEqual({ 1: '第三' });
  });

  test('at the same 更新时间 the later row of the file wins, and the later delivery', async () => {
    await county.send(FEED, FIRST, [death('1', '第一', '01 08:00:00'), death('1', '第二', '01 08:00:00')]);
    expect(await names()).toEqual({ 1: '第二' });
    expect(await county.send(FEED, SECOND, [death('1', '第三', '01 08:00:00')])).toMatchObject({
      changed: 1,
    });
    expect(await names()).toEqual({ 1: '第三' });
  });

  test('a row older than the record that stands changes nothing', async () => {
    await county.send(FEED, FIRST, [death('1', '新', '02 08:00:00')]);
    const second = await county.send(FEED, SECOND, [death('1', '旧', '01 08:00:00')]);
    expect(second).toMatchObject({ status: 'applied', new: 0, changed: 0, unchanged: 1 });
    expect(await names()).toEqual({ 1: '新' });
    expect(await names(SECOND)).toEqual({ 1: '新' });
  });

  test('an older business date that arrives later adds what is missing and takes nothing back', async () => {
    await county.send(FEED, SECOND, [death('1', '新', '02 08:00:00'), death('2', '同时', '01 08:00:00')]);
    const late = await county.send(FEED, FIRST, [
      death('1', '旧', '01 08:00:00'),
      death('2', '先到', '01 08:00:00'),
      death('3', '迟到', '01 08:00:00'),
    ]);
    expect(late).toMatchObject({ status: 'applied', new: 1, changed: 0, unchanged: 2 });
    expect(await names()).toEqual({ 1: '新', 2: '同时', 3: '迟到' });
    expect(await names(FIRST)).toEqual({ 3: '迟到' });
    expect(await names(SECOND)).toEqual({ 1: '新', 2: '同时', 3: '迟到' });
  });

  test('an older business date with a newer 更新时间 wins, from the date on that the record has', async () => {
    await county.send(FEED, SECOND, [death('1', '旧', '01 08:00:00')]);
    expect(await county.send(FEED, FIRST, [death('1', '新', '02 08:00:00')])).toMatchObject({ changed: 1 });
    expect(await names(FIRST)).toEqual({});
    expect(await names(SECOND)).toEqual({ 1: '新' });
  });

  test('deliveries of three nights give the same records in any order', async () => {
    const nights: [string, ReturnType<typeof death>[]][] = [
      [FIRST, [death('1', '甲', '01 08:00:00'), death('2', '乙', '01 08:00:00')]],
      [SECOND, [death('1', '丙', '02 08:00:00'), death('3', '丁', '02 08:00:00')]],
      [THIRD, [death('2', '戊', '03 08:00:00'), death('1', '己', '01 12:00:00')]],
    ];
    for (const [date, rows] of nights.toReversed()) await county.send(FEED, date, rows);
    expect(await names()).toEqual({ 1: '丙', 2: '戊', 3: '丁' });
  });

  test('the same bytes as an earlier delivery, but not the last, are applied as unchanged and noted', async () => {
    const rows = [death('1', '王强', '01 08:00:00')];
    await county.send(FEED, FIRST, rows);
    await county.send(FEED, SECOND, [death('2', '李娜', '02 08:00:00')]);
    expect(await county.send(FEED, THIRD, rows)).toMatchObject({ status: 'applied', unchanged: 1 });
    expect(await county.query('SELECT rule, holds, evidence FROM ops.gate_finding')).toMatchObject([
      { rule: 'FD04', holds: false, evidence: { business_date: FIRST } },
    ]);
  });

  test('without any rows it is in order, every night', async () => {
    expect(await county.send(FEED, FIRST, [])).toMatchObject({ status: 'applied', received: 0 });
    expect(await county.send(FEED, SECOND, [])).toMatchObject({ status: 'unchanged', received: 0 });
    expect(await county.query('SELECT * FROM ops.gate_finding')).toEqual([]);
  });
});
