import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { dueNights, latestDueDate, ticksOf } from '../../src/jobs/due-nights.ts';
import { openRun, type Purpose } from '../../src/jobs/run.ts';
import { useCounty } from '../support/drop.ts';

const MINUTE = 60_000;
const DAY = 24 * 60 * MINUTE;

const at = (text: string): Date => new Date(`${text}+08:00`);
const cutOffs = (...times: string[]): { cut_off: string }[] => times.map((cut_off) => ({ cut_off }));
const nextDay = (day: string): string => new Date(Date.parse(day) + DAY).toISOString().slice(0, 10);

describe('the latest date that is due', () => {
  test.each([
    ['a minute before the cut-off', '2026-11-18T21:59:59', ['22:00'], '2026-11-17'],
    ['at the cut-off', '2026-11-18T22:00:59', ['22:00'], '2026-11-17'],
    ['a minute after it', '2026-11-18T22:01:00', ['22:00'], '2026-11-18'],
    ['after the first of two cut-offs', '2026-11-18T20:30:00', ['22:00', '20:00'], '2026-11-17'],
    ['after midnight', '2026-11-19T00:00:00', ['22:00'], '2026-11-18'],
    ['just before the minute after the last cut-off of all', '2026-11-18T23:59:59', ['23:59'], '2026-11-17'],
    ['in that minute', '2026-11-19T00:00:00', ['23:59'], '2026-11-18'],
    ['at the end of a month', '2026-03-01T10:00:00', ['22:00'], '2026-02-28'],
    ['at the end of February in a leap year', '2028-03-01T10:00:00', ['22:00'], '2028-02-29'],
    ['at the end of a year', '2027-01-01T00:30:00', ['22:00'], '2026-12-31'],
    ['when clocks change elsewhere', '2026-03-29T22:01:00', ['22:00'], '2026-03-29'],
  ])('%s', (_when, now, times, due) => {
    expect(latestDueDate(at(now), cutOffs(...times))).toBe(due);
  });

  test('is none when no feed is bound', () => {
    expect(latestDueDate(at('2026-11-18T22:01:00'), [])).toBeNull();
  });

  const moment = fc.date({
    noInvalidDate: true,
    min: at('2000-01-01T00:00:00'),
    max: at('2100-01-01T00:00:00'),
  });
  const time = fc
    .tuple(fc.integer({ min: 0, max: 23 }), fc.integer({ min: 0, max: 59 }))
    .map((parts) => parts.map((part) => String(part).padStart(2, '0')).join(':'));
  const times = fc.array(time, { minLength: 1, maxLength: 5 });

  test('is the one whose last cut-off has passed by a minute while that of the next day has not', () => {
    fc.assert(
      fc.property(moment, times, (now, given) => {
        const due = latestDueDate(now, cutOffs(...given)) ?? '';
        const last = given.toSorted().at(-1) ?? '';
        expect(at(`${due}T${last}`).getTime() + MINUTE).toBeLessThanOrEqual(now.getTime());
        expect(at(`${nextDay(due)}T${last}`).getTime() + MINUTE).toBeGreaterThan(now.getTime());
      }),
    );
  });

  test('is one day later a day later', () => {
    fc.assert(
      fc.property(moment, times, (now, given) => {
        const due = latestDueDate(now, cutOffs(...given)) ?? '';
        expect(latestDueDate(new Date(now.getTime() + DAY), cutOffs(...given))).toBe(nextDay(due));
      }),
    );
  });
});

test('the scheduler ticks a minute after each cut-off, once for those of several feeds', () => {
  expect(ticksOf(cutOffs('22:00', '08:59', '22:00', '23:59'))).toEqual([
    { hour: 9, minute: 0, day: 0 },
    { hour: 22, minute: 1, day: 0 },
    { hour: 0, minute: 0, day: 1 },
  ]);
});

describe('the dates that lack a night', () => {
  const county = useCounty();
  const LATEST = '2026-11-18';
  const due = (): Promise<string[]> => dueNights(county.warehouse, LATEST, 2);

  async function run(
    date: string,
    status: 'done' | 'failed' | 'interrupted',
    purpose: Purpose = 'nightly',
  ): Promise<void> {
    const opened = await openRun(county.warehouse, date, purpose);
    if (status !== 'interrupted') return opened.close(status, {});
    await county.query(`UPDATE ops.run SET status = 'interrupted' WHERE run_id = $1`, [opened.runId]);
    await opened.abandon();
  }

  test('are the latest alone in a warehouse without any', async () => {
    expect(await due()).toEqual([LATEST]);
  });

  test('are those after the last finished one, also over the end of a month', async () => {
    await run('2026-10-30', 'done');
    expect(await due()).toEqual([
      '2026-10-31',
      ...Array.from({ length: 18 }, (_, day) => `2026-11-${String(day + 1).padStart(2, '0')}`),
    ]);
  });

  test('are none when the latest is finished, or a later one', async () => {
    await run(LATEST, 'done', 'backfill');
    expect(await due()).toEqual([]);
    await run('2026-11-20', 'done');
    expect(await due()).toEqual([]);
  });

  test('do not hide behind a finished date that is yet to come', async () => {
    await run('2026-11-16', 'done');
    await run('2036-11-20', 'done');
    expect(await due()).toEqual(['2026-11-17', LATEST]);
  });

  test('are not those before the last finished one that were never tried', async () => {
    await run('2026-11-14', 'done');
    await run('2026-11-17', 'done');
    expect(await due()).toEqual([LATEST]);
  });

  test('are those that were interrupted, and earlier ones that failed', async () => {
    await run('2026-11-14', 'done');
    await run('2026-11-15', 'failed');
    await run('2026-11-17', 'done');
    await run(LATEST, 'interrupted');
    expect(await due()).toEqual(['2026-11-15', LATEST]);
  });

  test('are left to the operator when they have failed as often as is allowed', async () => {
    await run('2026-11-16', 'done');
    await run('2026-11-17', 'failed');
    await run('2026-11-17', 'interrupted');
    await run(LATEST, 'failed');
    expect(await due()).toEqual(['2026-11-17', LATEST]);
    await run('2026-11-17', 'failed', 'backfill');
    expect(await due()).toEqual([LATEST]);
  });

  test('are tried again after a decision on one of their deliveries', async () => {
    await run(LATEST, 'failed');
    await run(LATEST, 'failed');
    expect(await due()).toEqual([]);
    await run(LATEST, 'done', 'release');
    expect(await due()).toEqual([LATEST]);
    await run(LATEST, 'failed');
    await run(LATEST, 'failed');
    expect(await due()).toEqual([]);
    await run(LATEST, 'done');
    expect(await due()).toEqual([]);
  });
});
