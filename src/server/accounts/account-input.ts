import { type Kysely, sql } from 'kysely';
import { z } from 'zod';
import type { DB } from '../../schema/database.ts';
import { PopshareError } from '../../schema/errors.ts';
import type { Principal } from '../access.ts';
import { ROLES, type Role } from './roles.ts';

/** Roles that work on no person: their accounts have no scope. */
const WITHOUT_SCOPE: readonly Role[] = ['operator', 'administrator', 'auditor'];

export const accountName = z
  .string()
  .transform((text) => text.normalize('NFKC').toLowerCase())
  .pipe(
    z
      .string()
      .regex(
        /^[\p{L}\p{N}][\p{L}\p{N}._-]{1,49}$/u,
        'expected 2 to 50 letters, digits, dots, hyphens or underscores',
      ),
  );

const displayName = z.string().trim().min(1).max(100);

/** A division and all below it: its code of 12 digits, or the 2, 4, 6 or 9 digits that it begins with. */
const division = z
  .string()
  .regex(/^(\d{2}|\d{4}|\d{6}|\d{9}|\d{12})$/, 'expected a division code of 2, 4, 6, 9 or 12 digits')
  .transform((code) => code.replace(/^(\d\d)0{10}$|^(\d{4})0{8}$|^(\d{6})0{6}$|^(\d{9})000$/, '$1$2$3$4'));

/** By whom the provider knows the owner: by the subject, or until the first sign-in by an e-mail address. */
const oidcLink = z.union([
  z.strictObject({ subject: z.string().min(1).max(255) }),
  z.strictObject({ email: z.email().transform((address) => address.toLowerCase()) }),
]);

/** What an administrator gives of an account. */
export const accountFields = z.strictObject({
  display_name: displayName,
  role: z.enum(ROLES),
  division: division
    .nullable()
    .describe('the scope: digits that division codes begin with; null: everywhere'),
  department: z.string().nullable().describe('the scope: one department; null: all of them'),
  email: z.email().max(200).nullable().describe('where the morning digest goes'),
  oidc: oidcLink.nullable().describe('by whom the identity provider knows the owner'),
});

export const newAccountFields = accountFields
  .partial()
  .required({ role: true })
  .extend({ name: accountName, display_name: displayName.optional() });

export const accountChanges = accountFields.partial();

export type NewAccountFields = z.output<typeof newAccountFields>;
export type AccountChanges = z.output<typeof accountChanges>;

/** Who changes accounts: on the command line there is no session behind it. */
export type Administrator = Pick<Principal, 'name'>;

/** What of the configuration accounts depend on. */
export interface AccountSurroundings {
  /** Codes of the departments. */
  readonly departments: readonly string[];
  /** Of the identity provider; null: there is none. */
  readonly issuer: string | null;
}

/**
 * Looks whether a role and its scope can be: a division that there is, a department that there is, and none of both
 * for roles that work on no person.
 *
 * @throws ACCOUNT_INPUT
 */
export async function requireScope(
  db: Kysely<DB>,
  scope: { readonly role: Role; readonly division: string | null; readonly department: string | null },
  { departments }: AccountSurroundings,
): Promise<void> {
  const { role, division, department } = scope;
  if (WITHOUT_SCOPE.includes(role) && (division !== null || department !== null))
    throw new PopshareError(
      'ACCOUNT_INPUT',
      `a ${role} works on no person, and has no division or department`,
    );
  if (department !== null && !departments.includes(department))
    throw new PopshareError('ACCOUNT_INPUT', `popshare.yaml has no department ${department}`);
  if (division === null) return;
  const { rows } = await sql`
    SELECT 1 AS found FROM reference.division WHERE starts_with(code, ${division}) LIMIT 1`.execute(db);
  if (rows.length === 0)
    throw new PopshareError('ACCOUNT_INPUT', `no division of today has a code that begins with ${division}`);
}

/** The columns that link an account to a user of the provider. */
export interface OidcColumns {
  readonly oidc_issuer: string | null;
  readonly oidc_subject: string | null;
  readonly oidc_email: string | null;
}

/** @throws ACCOUNT_INPUT when there is no provider */
export function oidcColumns(
  link: z.output<typeof oidcLink> | null,
  { issuer }: AccountSurroundings,
): OidcColumns {
  if (link === null) return { oidc_issuer: null, oidc_subject: null, oidc_email: null };
  if (issuer === null) throw new PopshareError('ACCOUNT_INPUT', 'popshare.yaml has no server.oidc');
  return {
    oidc_issuer: issuer,
    oidc_subject: 'subject' in link ? link.subject : null,
    oidc_email: 'email' in link ? link.email : null,
  };
}
