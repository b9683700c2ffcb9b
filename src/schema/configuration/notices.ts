import { z } from 'zod';

/** What happens that somebody outside of popshare is told. A digest is each officer's own morning mail. */
export const NOTICE_KINDS = [
  'night_failed',
  'night_late',
  'feeds_late',
  'deliveries_held',
  'bulk_look_ups',
  'digest',
] as const;

export type NoticeKind = (typeof NOTICE_KINDS)[number];

const TIME_EXPECTED = 'expected a time of day HH:mm, in quotes';
const timeOfDay = z.string(TIME_EXPECTED).regex(/^([01]\d|2[0-3]):[0-5]\d$/, TIME_EXPECTED);
const variable = z
  .string()
  .regex(/^[A-Z_][A-Z0-9_]*$/, 'expected the name of an environment variable, in capital letters');
const address = z.email('expected an e-mail address');
const httpUrl = z.url({
  protocol: /^https?$/,
  error: 'expected an address that begins with https:// or http://',
});

/** Kinds that go to a list of addresses; a digest goes to its officer. */
const LISTED_KINDS = NOTICE_KINDS.filter((kind) => kind !== 'digest');

const webhookSchema = z.strictObject({
  name: z.string().regex(/^[a-z][a-z0-9-]*$/, 'expected a name in small letters'),
  url: httpUrl,
  secret_env: variable,
  events: z.array(z.enum(NOTICE_KINDS)).min(1).default(LISTED_KINDS),
});

const smtpSchema = z.strictObject({
  url_env: variable,
  from: z.string().min(1, 'expected the address that mails come from'),
  to: z.partialRecord(z.enum(LISTED_KINDS), z.array(address).min(1)).default({}),
});

/** `notices` of `popshare.yaml`: who is told what, and by which way. Secrets stand in the environment alone. */
export const noticesSchema = z
  .strictObject({
    site: httpUrl.optional(),
    late_by: timeOfDay.default('06:00'),
    webhooks: z.array(webhookSchema).default([]),
    smtp: smtpSchema.optional(),
    digest: z.strictObject({ at: timeOfDay.default('08:00') }).optional(),
  })
  .superRefine(({ webhooks, smtp, digest }, context) => {
    const names = webhooks.map(({ name }) => name);
    for (const [index, name] of names.entries()) {
      if (names.indexOf(name) !== index)
        context.addIssue({
          code: 'custom',
          path: ['webhooks', index, 'name'],
          message: `${name} is there twice`,
        });
    }
    if (digest !== undefined && smtp === undefined)
      context.addIssue({
        code: 'custom',
        path: ['digest'],
        message: 'a digest is a mail: expected smtp, too',
      });
  })
  .prefault({});

export type NoticeSettings = z.output<typeof noticesSchema>;
export type Webhook = NoticeSettings['webhooks'][number];
export type MailSettings = NonNullable<NoticeSettings['smtp']>;
