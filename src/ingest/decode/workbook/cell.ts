/** The number formats that ECMA-376 part 1, 18.8.30, defines by number alone: dates and times, Chinese ones among them. */
const BUILT_IN_DATE_FORMATS = [
  [14, 22],
  [27, 36],
  [45, 47],
  [50, 58],
] as const;

/**
 * Whether a number format shows a point in time.
 *
 * @param code the workbook's own format code for this number, if it defines one
 */
export function isDateFormat(id: number, code: string | undefined): boolean {
  if (code === undefined) return BUILT_IN_DATE_FORMATS.some(([first, last]) => id >= first && id <= last);
  // A duration, [h]:mm, is a number of days and no date.
  if (/\[[hms]+\]/i.test(code)) return false;
  const bare = code.replace(/"[^"]*"|\\.|_.|\*.|\[[^\]]*\]/g, '').split(';')[0] ?? '';
  return !/general/i.test(bare) && /[ymdhs]/i.test(bare);
}

/** The last day that spreadsheets know, 9999-12-31, in the 1900 system. */
const LAST_DAY = 2_958_465;
const DAY_SECONDS = 86_400;

/**
 * The text of a numeric cell, with all the digits that the workbook still has. A date is `YYYY-MM-DD`, with a
 * time of day `YYYY-MM-DD HH:mm:ss`, a time alone `HH:mm:ss`.
 *
 * @param raw the number as the workbook writes it
 * @param date whether the cell's style shows a date
 */
export function numberText(raw: string, date: boolean, from1904: boolean): string {
  const value = Number(raw);
  if (date && value >= 0 && value < LAST_DAY + 1) return dateText(value, from1904);
  if (!Number.isFinite(value) || /^-?\d+$/.test(raw)) return raw;
  return Math.abs(value) < 1e15 ? String(value) : wholeDigits(raw);
}

function dateText(serial: number, from1904: boolean): string {
  const seconds = Math.round(serial * DAY_SECONDS);
  const day = Math.floor(seconds / DAY_SECONDS);
  const time = new Date((seconds % DAY_SECONDS) * 1000).toISOString().slice(11, 19);
  if (serial < 1 && !from1904) return time;
  const date = calendarDay(day, from1904);
  return seconds % DAY_SECONDS === 0 ? date : `${date} ${time}`;
}

function calendarDay(day: number, from1904: boolean): string {
  // The 1900 system has a 29 February 1900 that never was; it stays visible, for the contract to refuse.
  if (!from1904 && day === 60) return '1900-02-29';
  const dayZero = from1904 ? Date.UTC(1904, 0, 1) : Date.UTC(1899, 11, day < 60 ? 31 : 30);
  return new Date(dayZero + day * DAY_SECONDS * 1000).toISOString().slice(0, 10);
}

/** `6.2080219511025402E+17` → `620802195110254020`: the digits as written, not those of the nearest double. */
function wholeDigits(raw: string): string {
  const parts = /^(-?)(\d+)(?:\.(\d*))?(?:[eE]\+?(\d+))?$/.exec(raw);
  if (parts === null) return raw;
  const [, sign = '', whole = '', fraction = '', exponent = '0'] = parts;
  // Beyond what a column of numbers can mean, the notation is left as it is.
  if (Number(exponent) > 30) return raw;
  const digits = fraction.slice(0, Number(exponent)).padEnd(Number(exponent), '0');
  return `${sign}${whole}${digits}`;
}
