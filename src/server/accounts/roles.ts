import { ACCOUNT_ROLES } from '../../schema/configuration/accounts.ts';

/** What people may be; docs/accounts.md says what each may do. */
export const ROLES = ACCOUNT_ROLES;

export type Role = (typeof ROLES)[number];
