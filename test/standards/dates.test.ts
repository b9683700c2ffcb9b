import fc from 'fast-check';
import { SolarDay } from 'tyme4ts';
import { describe, expect, it } from 'vitest';
import {
  excelSerialDate,
  lunarDate,
  parseDate,
  parseMonth,
  parseTimestamp,
} from '../../src/schema/standards/dates.ts';

const isoDay = fc
  .date({ min: new Date('1800-01-01'), max: new Date('2199-12-31'), noInvalidDate: true })
  .map((date) => date.toISOString().slice(0, 10));

describe('parseDate', () => {
  it.each(['20240229', '2024-02-29', '2024-2-29', '2024/02/29', '2024/2/29', '2024年2月29日', ' 20240229 '])(
    'reads %j',
    (text) => {
      expect(parseDate(text)).toBe('2024-02-29');
    },
  );

  it.each([
    '',
    '20230229',
    '2023-02-29',
    '20231301',
    '20230431',
    '17991231',
    '22000101',
    '2023-1/2',
    '202311',
    '0',
    '不详',
  ])('refuses %j', (text) => {
    expect(parseDate(text)).toBeNull();
  });

  it('reads every form of every day as that day', () => {
    fc.assert(
      fc.property(isoDay, (day) => {
        expect(parseDate(day)).toBe(day);
        expect(parseDate(day.replaceAll('-', ''))).toBe(day);
        expect(parseDate(day.replaceAll('-0', '-').replaceAll('-', '/'))).toBe(day);
      }),
    );
  });

  it('never throws', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        parseDate(text);
        parseMonth(text);
        parseTimestamp(text);
      }),
    );
  });
});

describe('parseMonth', () => {
  it.each([
    ['202411', '2024-11-01'],
    ['2024-11', '2024-11-01'],
    ['202413', null],
    ['2024', null],
    ['20241101', null],
  ])('%j is %j', (text, month) => {
    expect(parseMonth(text)).toBe(month);
  });
});

describe('parseTimestamp', () => {
  it.each([
    ['2026-11-18 08:30:00', '2026-11-18T08:30:00+08:00'],
    ['2026-11-18T08:30', '2026-11-18T08:30:00+08:00'],
    ['2026-11-18T00:30:00Z', '2026-11-18T00:30:00Z'],
    ['2026-11-18T08:30:00.123+0800', '2026-11-18T08:30:00.123+08:00'],
    ['2026-11-18T09:30:00+09:00', '2026-11-18T00:30:00.000Z'],
    ['2026-02-30 08:30:00', null],
    ['2026-11-18 24:00:00', null],
    ['2026-11-18', null],
    ['', null],
  ])('%j is %j', (text, moment) => {
    expect(parseTimestamp(text)).toBe(moment);
  });
});

describe('excelSerialDate', () => {
  it.each([
    [1, '1900-01-01'],
    [59, '1900-02-28'],
    [60, null],
    [61, '1900-03-01'],
    [44197, '2021-01-01'],
    [44197.75, '2021-01-01'],
    [109_574, '2199-12-31'],
    [109_575, null],
    [0, null],
    [Number.NaN, null],
  ])('%d is %j', (serial, day) => {
    expect(excelSerialDate(serial)).toBe(day);
  });
});

describe('lunarDate', () => {
  it.each([
    ['1943-12-17', 19431121],
    ['1949-01-29', 19490101],
    ['1985-02-20', 19850101],
    ['2000-02-05', 20000101],
    ['2024-02-10', 20240101],
    ['2026-02-17', 20260101],
    ['2026-02-16', 20251229],
    ['2023-03-22', 20230201],
    ['2023-04-01', 20230211],
  ])('%s is %d', (day, lunar) => {
    expect(lunarDate(day)).toBe(lunar);
  });

  it("agrees with the library's own reckoning of single days", () => {
    fc.assert(
      fc.property(isoDay, (iso) => {
        const [year = 0, month = 0, day = 0] = iso.split('-').map(Number);
        const lunar = SolarDay.fromYmd(year, month, day).getLunarDay();
        expect(lunarDate(iso)).toBe(
          lunar.getYear() * 10_000 + Math.abs(lunar.getMonth()) * 100 + lunar.getDay(),
        );
      }),
    );
  });

  it('refuses what is no day', () => {
    expect(() => lunarDate('2023-02-99')).toThrow(RangeError);
  });
});
