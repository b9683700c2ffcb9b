import path from 'node:path';
import { z } from 'zod';
import type { Configuration } from '../../schema/configuration/load.ts';
import type { Settings } from '../../schema/configuration/settings.ts';
import { readYamlFile } from '../../schema/configuration/yaml-file.ts';
import { addWorkingDays, isWorkingDay, type WorkingCalendar } from '../../schema/standards/working-days.ts';

export type Severity = 'high' | 'medium' | 'low' | 'info';

/** Until when cases are to be dealt with. */
export interface DueDates {
  /**
   * @param from YYYY-MM-DD: the day on which the case opens, or is returned
   * @returns YYYY-MM-DD; null for `info`, which is counted and not queued
   */
  dueOn(severity: Severity, from: string): string | null;
  /** Whether the calendar knows a year: in another one, weekends alone are free, and somebody should be told. */
  knows(year: number): boolean;
  /** @param day YYYY-MM-DD */
  isWorkingDay(day: string): boolean;
}

/**
 * The years that the calendar lacks, of those in which what opens or is returned on a day is due.
 *
 * @param on YYYY-MM-DD
 */
export function yearsLacking(dueDates: DueDates, on: string): number[] {
  const dates = [on, ...(['high', 'medium', 'low'] as const).map((severity) => dueDates.dueOn(severity, on))];
  const years = new Set(dates.map((date) => Number((date ?? on).slice(0, 4))));
  return [...years].filter((year) => !dueDates.knows(year)).sort();
}

const days = z.array(z.iso.date()).transform((dates) => new Set(dates));

const calendarSchema = z
  .strictObject({
    years: z.record(z.string().regex(/^\d{4}$/), z.strictObject({ off: days, worked: days })),
  })
  .superRefine(({ years }, context) => {
    for (const [year, { off, worked }] of Object.entries(years)) {
      for (const [name, dates, weekend] of [['off', off, false] as const, ['worked', worked, true] as const])
        for (const date of dates) {
          const path = ['years', year, name];
          const weekday = new Date(`${date}T00:00:00Z`).getUTCDay();
          if (!date.startsWith(year))
            context.addIssue({ code: 'custom', path, message: `${date} is of another year` });
          if ((weekday === 0 || weekday === 6) !== weekend)
            context.addIssue({
              code: 'custom',
              path,
              message: `${date} is ${weekend ? 'no' : 'a'} weekend day`,
            });
        }
    }
  })
  .transform(
    ({ years }): WorkingCalendar => ({
      years: new Map(Object.entries(years).map(([year, given]) => [Number(year), given])),
    }),
  );

/**
 * Reads config/calendar.yaml, the public holidays and make-up working days, and joins it with the working days
 * of each severity (`queue.working_days`).
 *
 * @throws CONFIG_NOT_FOUND, CONFIG_INVALID
 */
export async function loadDueDates({ folder, settings }: Configuration): Promise<DueDates> {
  return dueDates(settings.queue, await readYamlFile(path.join(folder, 'calendar.yaml'), calendarSchema));
}

function dueDates({ working_days }: Settings['queue'], calendar: WorkingCalendar): DueDates {
  return {
    dueOn: (severity, from) =>
      severity === 'info' ? null : addWorkingDays(from, working_days[severity], calendar),
    knows: (year) => calendar.years.has(year),
    isWorkingDay: (day) => isWorkingDay(day, calendar),
  };
}
