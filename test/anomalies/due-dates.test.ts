import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { SolarDay } from 'tyme4ts';
import { describe, expect, test } from 'vitest';
import { loadDueDates, yearsLacking } from '../../src/anomalies/queue/due-dates.ts';
import { loadConfiguration } from '../../src/schema/configuration/load.ts';

const configuration = await loadConfiguration('config');
const dueDates = await loadDueDates(configuration);

describe('a case is due after its working days', () => {
  test.each([
    ['over a plain weekend', 'high', '2026-11-18', '2026-11-25'],
    // 14 February is worked, 15 to 23 February are off, 28 February is worked.
    ['over the Spring Festival of 2026', 'high', '2026-02-12', '2026-02-26'],
    ['from within the festival', 'high', '2026-02-18', '2026-02-28'],
    ['a make-up Saturday counts', 'medium', '2026-02-12', '2026-03-04'],
    ['over the National Day of 2026', 'high', '2026-09-28', '2026-10-10'],
    ['over the turn of a year', 'low', '2025-12-25', '2026-01-23'],
  ] as const)('%s', (_what, severity, from, due) => {
    expect(dueDates.dueOn(severity, from)).toBe(due);
  });

  test('what is counted only is never due', () => {
    expect(dueDates.dueOn('info', '2026-11-18')).toBeNull();
  });

  test.each([
    ['2026-06-01', []],
    // What is low is due in January.
    ['2026-12-20', [2027]],
    ['2027-06-01', [2027]],
  ])('on %s the calendar lacks %o', (on, years) => {
    expect(yearsLacking(dueDates, on)).toEqual(years);
  });

  test('a year that the calendar lacks has weekends, and says so', () => {
    expect([2025, 2026, 2027].map((year) => dueDates.knows(year))).toEqual([true, true, false]);
    expect(dueDates.dueOn('high', '2027-09-30')).toBe('2027-10-07');
  });
});

test('the calendar is what was announced', async () => {
  const queue = { ...configuration.settings.queue, working_days: { high: 1, medium: 1, low: 1 } };
  const tomorrow = await loadDueDates({ ...configuration, settings: { ...configuration.settings, queue } });
  for (let day = SolarDay.fromYmd(2025, 1, 1); day.getYear() < 2027; day = day.next(1)) {
    const weekend = [0, 6].includes(day.getWeek().getIndex());
    const worked = day.getLegalHoliday()?.isWork() ?? !weekend;
    const follows = tomorrow.dueOn('high', isoDate(day.next(-1))) === isoDate(day);
    expect([isoDate(day), follows]).toEqual([isoDate(day), worked]);
  }
});

test.each([
  ['a day of another year', '2025-01-26, ', '2026-01-26, '],
  ['a plain weekday as make-up day', '2025-01-26, ', '2025-01-27, '],
  ['no day', '2025-01-26, ', 'tomorrow, '],
])('%s in the calendar is refused with file and line', async (_what, from, to) => {
  const folder = await mkdtemp(path.join(tmpdir(), 'popshare-calendar-'));
  try {
    await cp('config', folder, { recursive: true });
    const file = path.join(folder, 'calendar.yaml');
    await writeFile(file, (await readFile(file, 'utf8')).replace(from, to));
    await expect(loadDueDates({ ...configuration, folder })).rejects.toMatchObject({
      code: 'CONFIG_INVALID',
      message: expect.stringMatching(/calendar\.yaml:\d+: years\.2025\.worked/),
    });
  } finally {
    await rm(folder, { recursive: true });
  }
});

function isoDate(day: SolarDay): string {
  return [day.getYear(), day.getMonth(), day.getDay()].map((part) => String(part).padStart(2, '0')).join('-');
}
