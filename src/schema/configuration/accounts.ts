import { z } from 'zod';

/** What people may be; docs/accounts.md says what each may do. */
export const ACCOUNT_ROLES = [
  'viewer',
  'officer',
  'supervisor',
  'operator',
  'administrator',
  'auditor',
] as const;

/** `server.accounts` of `popshare.yaml`: what signing in with a password asks for. */
export const accountsSchema = z
  .strictObject({
    code_required: z.array(z.enum(ACCOUNT_ROLES)).default([]),
    password_days: z.int().min(1).max(3650).optional(),
  })
  .prefault({});

/** `server.oidc`: the identity provider; without it, accounts have passwords. */
export const oidcSchema = z.strictObject({
  issuer: z.url({ protocol: /^https?$/, error: 'expected the address of the provider, https://…' }),
  client_id: z.string().min(1),
  client_secret_env: z
    .string()
    .regex(/^[A-Z_][A-Z0-9_]*$/, 'expected the name of an environment variable, in capital letters'),
  label: z
    .strictObject({ zh: z.string(), en: z.string() })
    .default({ zh: '统一身份认证', en: 'Single sign-on' }),
});

export type AccountSettings = z.output<typeof accountsSchema>;
export type OidcSettings = z.output<typeof oidcSchema>;
