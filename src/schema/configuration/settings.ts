import { z } from 'zod';
import { accountsSchema, oidcSchema } from './accounts.ts';
import { noticesSchema } from './notices.ts';
import { retentionSchema } from './retention.ts';

const percent = z.number().min(0).max(1000);
const workingDays = z.int().min(1).max(250);

/** `popshare.yaml`: what holds for the whole site. */
export const settingsSchema = z.strictObject({
  county: z.string().regex(/^\d{6}$/, 'expected the six digits of the county (GB/T 2260), in quotes'),
  drop: z.string().min(1, 'expected the root folder of the file drop'),
  departments: z.record(
    z.string().regex(/^[a-z][a-z-]*$/, 'expected a department code in small letters'),
    z.strictObject({
      zh: z.string(),
      en: z.string(),
      concurrency: z.int().min(1).max(20).default(1),
      per_minute: z.int().min(1).max(600).optional(),
    }),
  ),
  gates: z
    .strictObject({
      fewer_percent: percent.default(20),
      more_percent: percent.default(50),
      rejected_percent: percent.default(5),
      undecodable_percent: percent.default(1),
    })
    .prefault({}),
  schedule: z
    .strictObject({
      failed_attempts: z.int().min(1).max(100).default(3),
      jobs: z.int().min(1).max(3).default(2),
    })
    .prefault({}),
  indicators: z.strictObject({ least_persons: z.int().min(1).max(1000).default(10) }).prefault({}),
  queue: z
    .strictObject({
      working_days: z
        .strictObject({
          high: workingDays.default(5),
          medium: workingDays.default(10),
          low: workingDays.default(20),
        })
        .prefault({}),
      group_above: z.int().min(1).default(100),
      bulk_limit: z.int().min(1).default(10_000),
      dismissed_percent: percent.default(50),
      dismissed_at_least: z.int().min(1).default(20),
    })
    .prefault({}),
  server: z
    .strictObject({
      host: z.string().min(1).default('127.0.0.1'),
      port: z.int().min(0).max(65535).default(8080),
      session: z
        .strictObject({
          hours: z.int().min(1).max(24).default(10),
          idle_minutes: z.int().min(1).max(600).default(30),
        })
        .prefault({}),
      looks_per_10_minutes: z.int().min(1).default(120),
      accounts: accountsSchema,
      oidc: oidcSchema.optional(),
    })
    .prefault({}),
  notices: noticesSchema,
  retention: retentionSchema,
});

export type Settings = z.output<typeof settingsSchema>;
export type GateLimits = Settings['gates'];
export type QueueSettings = Settings['queue'];
