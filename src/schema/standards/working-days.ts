const MILLISECONDS_A_DAY = 86_400_000;

/** What differs from the plain week of Monday to Friday: days YYYY-MM-DD, by year. */
export interface WorkingCalendar {
  readonly years: ReadonlyMap<
    number,
    {
      /** Working days of the plain week that are public holidays. */
      readonly off: ReadonlySet<string>;
      /** Weekend days that are worked instead 调休. */
      readonly worked: ReadonlySet<string>;
    }
  >;
}

/**
 * The day that is so many working days after another one. In a year that the calendar lacks, weekends alone are
 * free.
 *
 * @param from YYYY-MM-DD; it does not count itself, whether it is a working day or not
 * @param days at least 1
 * @returns YYYY-MM-DD, a working day
 */
export function addWorkingDays(from: string, days: number, calendar: WorkingCalendar): string {
  let moment = Date.parse(`${from}T00:00:00Z`);
  let date = from;
  for (let left = days; left > 0; ) {
    moment += MILLISECONDS_A_DAY;
    date = new Date(moment).toISOString().slice(0, 10);
    if (isWorkingDay(date, calendar)) left--;
  }
  return date;
}

/** @param date YYYY-MM-DD */
export function isWorkingDay(date: string, { years }: WorkingCalendar): boolean {
  const year = years.get(Number(date.slice(0, 4)));
  if (year?.worked.has(date)) return true;
  const weekday = new Date(`${date}T00:00:00Z`).getUTCDay();
  return weekday !== 0 && weekday !== 6 && !year?.off.has(date);
}
