/** Dates as whole days since 1970-01-01, so that a million persons need no Date objects. */

export interface CivilDate {
  year: number;
  month: number;
  day: number;
}

/** The day number of a Gregorian date (Hinnant, "chrono-compatible low-level date algorithms"). */
export function dayNumber(year: number, month: number, day: number): number {
  const shifted = month <= 2 ? year - 1 : year;
  const era = Math.floor(shifted / 400);
  const yearOfEra = shifted - era * 400;
  const dayOfYear = Math.floor((153 * (month > 2 ? month - 3 : month + 9) + 2) / 5) + day - 1;
  const dayOfEra = yearOfEra * 365 + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100) + dayOfYear;
  return era * 146097 + dayOfEra - 719468;
}

/** The Gregorian date of a day number. */
export function civilDate(dayCount: number): CivilDate {
  const shifted = dayCount + 719468;
  const era = Math.floor(shifted / 146097);
  const dayOfEra = shifted - era * 146097;
  const yearOfEra = Math.floor(
    (dayOfEra - Math.floor(dayOfEra / 1460) + Math.floor(dayOfEra / 36524) - Math.floor(dayOfEra / 146096)) /
      365,
  );
  const dayOfYear = dayOfEra - (365 * yearOfEra + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100));
  const monthIndex = Math.floor((5 * dayOfYear + 2) / 153);
  const day = dayOfYear - Math.floor((153 * monthIndex + 2) / 5) + 1;
  const month = monthIndex < 10 ? monthIndex + 3 : monthIndex - 9;
  return { year: yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, day };
}

/** `YYYYMMDD`. */
export function compactDate(dayCount: number): string {
  const { year, month, day } = civilDate(dayCount);
  return String(year * 10000 + month * 100 + day);
}

/** `YYYYMM`. */
export function compactMonth(dayCount: number): string {
  return compactDate(dayCount).slice(0, 6);
}

/** `YYYY-MM-DD`. */
export function dashedDate(dayCount: number): string {
  return dashed(compactDate(dayCount));
}

/** `YYYY-MM-DD` of a `YYYYMMDD`, which need not be a date that exists. */
export function dashed(compact: string): string {
  return `${compact.slice(0, 4)}-${compact.slice(4, 6)}-${compact.slice(6, 8)}`;
}

/** `YYYY-MM-DD HH:mm:ss` on a day, at a second of it that `chance` (any 32-bit integer) chooses. */
export function timestamp(dayCount: number, chance: number): string {
  const second = chance % 86400;
  const two = (value: number) => String(value).padStart(2, '0');
  return `${dashedDate(dayCount)} ${two(Math.floor(second / 3600))}:${two(Math.floor(second / 60) % 60)}:${two(second % 60)}`;
}

/** The day number of `YYYY-MM-DD`, or undefined when no such day exists. */
export function parseDashedDate(text: string): number | undefined {
  const match = /^(\d{4})-(\d{2})-(\d{2})$/.exec(text);
  if (match === null) return undefined;
  const days = dayNumber(Number(match[1]), Number(match[2]), Number(match[3]));
  return dashedDate(days) === text ? days : undefined;
}
