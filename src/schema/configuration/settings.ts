import { z } from 'zod';

const percent = z.number().min(0).max(1000);

/** `popshare.yaml`: what holds for the whole site. */
export const settingsSchema = z.strictObject({
  county: z.string().regex(/^\d{6}$/, 'expected the six digits of the county (GB/T 2260), in quotes'),
  drop: z.string().min(1, 'expected the root folder of the file drop'),
  departments: z.record(
    z.string().regex(/^[a-z][a-z-]*$/, 'expected a department code in small letters'),
    z.strictObject({ zh: z.string(), en: z.string() }),
  ),
  gates: z
    .strictObject({
      fewer_percent: percent.default(20),
      more_percent: percent.default(50),
      rejected_percent: percent.default(5),
      undecodable_percent: percent.default(1),
    })
    .prefault({}),
});

export type Settings = z.output<typeof settingsSchema>;
export type GateLimits = Settings['gates'];
