/** China has one time zone, and no summer time since 1991. */
export const SHANGHAI_AHEAD_MILLISECONDS = 8 * 60 * 60_000;
const MILLISECONDS_A_DAY = 86_400_000;

/** The day YYYY-MM-DD and the time of day HH:mm in China at a moment. */
export function inShanghai(moment: Date): { readonly day: string; readonly time: string } {
  const text = new Date(moment.getTime() + SHANGHAI_AHEAD_MILLISECONDS).toISOString();
  return { day: text.slice(0, 10), time: text.slice(11, 16) };
}

/** @param day YYYY-MM-DD */
export function dayBefore(day: string): string {
  return new Date(Date.parse(day) - MILLISECONDS_A_DAY).toISOString().slice(0, 10);
}
