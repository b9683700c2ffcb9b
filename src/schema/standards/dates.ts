import { LunarYear } from 'tyme4ts';
import { isCalendarDate } from './calendar.ts';
import { memoise } from './memo.ts';

const FIRST_YEAR = 1800;
const LAST_YEAR = 2199;
const MILLISECONDS_A_DAY = 86_400_000;
/** More than the days of a century: one column's birth dates fit. */
const REMEMBERED_DATES = 65_536;

/**
 * Reads a date: YYYYMMDD, YYYY-MM-DD, YYYY/MM/DD or YYYY年M月D日; with separators, month and day may have one
 * digit. Real days of the years 1800 to 2199 only.
 *
 * @returns YYYY-MM-DD, or null when the text is no such date
 */
export const parseDate: (text: string) => string | null = memoise(REMEMBERED_DATES, (text) => {
  const parts = /^(\d{4})(?:(\d\d)(\d\d)|([-/])(\d{1,2})\4(\d{1,2})|年(\d{1,2})月(\d{1,2})日)$/.exec(
    text.trim(),
  );
  if (parts === null) return null;
  const month = parts[2] ?? parts[5] ?? parts[7] ?? '';
  const day = parts[3] ?? parts[6] ?? parts[8] ?? '';
  return isoDate(Number(parts[1]), Number(month), Number(day));
});

/**
 * Reads a month: YYYYMM or YYYY-MM, of the years 1800 to 2199.
 *
 * @returns its first day, YYYY-MM-01, or null when the text is no month
 */
export function parseMonth(text: string): string | null {
  const parts = /^(\d{4})-?(\d\d)$/.exec(text.trim());
  return parts === null ? null : isoDate(Number(parts[1]), Number(parts[2]), 1);
}

/**
 * Reads a moment: `YYYY-MM-DD HH:mm[:ss[.fff]]`, or ISO 8601 with T and an offset. Without an offset it is
 * the time of Asia/Shanghai, +08:00.
 *
 * @returns ISO 8601 with `+08:00` or `Z`, or null when the text is no moment of the years 1800 to 2199
 */
export function parseTimestamp(text: string): string | null {
  const usual = parseUsualTimestamp(text);
  if (usual !== null) return usual;
  const parts =
    /^(\d{4})-(\d\d)-(\d\d)[ T]([01]\d|2[0-3]):([0-5]\d)(?::([0-5]\d)(\.\d{1,9})?)?(Z|[+-](?:0\d|1[0-4]):?[0-5]\d)?$/.exec(
      text.trim(),
    );
  if (parts === null) return null;
  const date = isoDate(Number(parts[1]), Number(parts[2]), Number(parts[3]));
  if (date === null) return null;
  const local = `${date}T${parts[4]}:${parts[5]}:${parts[6] ?? '00'}${parts[7] ?? ''}`;
  const offset = (parts[8] ?? '+08:00').replace(/^(...)(\d\d)$/, '$1:$2');
  if (offset === '+08:00' || offset === 'Z') return local + offset;
  return new Date(local + offset).toISOString();
}

/** `YYYY-MM-DD HH:mm:ss` without an expression: a column of moments has a value for every row, and none repeats. */
function parseUsualTimestamp(text: string): string | null {
  if (text.length !== 19 || text[10] !== ' ' || text[13] !== ':' || text[16] !== ':') return null;
  const date = parseDate(text.slice(0, 10));
  if (date === null || text[4] !== '-') return null;
  const isTime = twoDigits(text, 11) < 24 && twoDigits(text, 14) < 60 && twoDigits(text, 17) < 60;
  return isTime ? `${date}T${text.slice(11)}+08:00` : null;
}

const ZERO = '0'.charCodeAt(0);

/** The number that two characters write; not a number below 100 when one of them is no digit. */
function twoDigits(text: string, at: number): number {
  const tens = text.charCodeAt(at) - ZERO;
  const ones = text.charCodeAt(at + 1) - ZERO;
  return tens >= 0 && tens <= 9 && ones >= 0 && ones <= 9 ? 10 * tens + ones : Number.NaN;
}

/**
 * The day of an Excel serial number, in the workbooks' usual 1900 system. The time of day is dropped. Serial
 * 60 is 29 February 1900, which never was, so days before it count from one day later.
 *
 * @param serial days since the end of 1899
 * @returns YYYY-MM-DD, or null when the number is no day from 1900 to 2199
 */
export function excelSerialDate(serial: number): string | null {
  const day = Math.floor(serial);
  if (!(day >= 1) || day === 60 || day > 109_574) return null;
  const epoch = Date.UTC(1899, 11, day < 60 ? 31 : 30);
  return new Date(epoch + day * MILLISECONDS_A_DAY).toISOString().slice(0, 10);
}

/**
 * The day in the lunar calendar (农历), to find a lunar birthday that was entered as a Gregorian one (rule
 * DQ08). A day of a leap month counts as one of the month that it repeats.
 *
 * @param iso YYYY-MM-DD, a real day
 * @returns yyyymmdd of lunar year, month and day, as one integer
 */
export function lunarDate(iso: string): number {
  const day = Date.parse(iso) / MILLISECONDS_A_DAY;
  const year = Number(iso.slice(0, 4));
  const months = [year - 1, year].flatMap((lunarYear) => lunarMonthsOf(String(lunarYear)));
  const month = months.findLast(({ firstDay }) => firstDay <= day);
  if (month === undefined) throw new RangeError('lunarDate takes a real day as YYYY-MM-DD.');
  return month.yearAndMonth * 100 + (day - month.firstDay + 1);
}

/** The months of a lunar year in order; `firstDay` in days since 1970. Kept, because each takes new moons. */
const lunarMonthsOf = memoise(LAST_YEAR - FIRST_YEAR + 2, (lunarYear) =>
  LunarYear.fromYear(Number(lunarYear))
    .getMonths()
    .map((month) => {
      const first = month.getFirstJulianDay().getSolarDay();
      return {
        yearAndMonth: month.getYear() * 100 + month.getMonth(),
        firstDay: Date.UTC(first.getYear(), first.getMonth() - 1, first.getDay()) / MILLISECONDS_A_DAY,
      };
    }),
);

function isoDate(year: number, month: number, day: number): string | null {
  if (year < FIRST_YEAR || year > LAST_YEAR || !isCalendarDate(year, month, day)) return null;
  return `${year}-${String(month).padStart(2, '0')}-${String(day).padStart(2, '0')}`;
}
