import { type Role as AccountRole, ROLES } from './accounts/roles.ts';

/** Whoever a request comes from. `department` and `dashboard` are systems with a token, the others people. */
export type Role = AccountRole | 'department' | 'dashboard';

/**
 * What may be done, and by whom. A viewer sees figures; an officer works on the cases of a scope; a supervisor also
 * assigns, decides and acts in bulk; an operator runs the nights and sees no personal data; an administrator keeps
 * accounts and sees none; an auditor reads the log and nothing else.
 */
export const PERMISSIONS = {
  figures: ['viewer', 'officer', 'supervisor', 'operator', 'dashboard'],
  cases: ['officer', 'supervisor'],
  'cases in bulk': ['supervisor'],
  corrections: ['officer', 'supervisor', 'department'],
  'issue corrections': ['officer', 'supervisor'],
  reviews: ['officer', 'supervisor'],
  'decide reviews': ['supervisor'],
  persons: ['officer', 'supervisor'],
  match: ['officer', 'supervisor', 'department'],
  ledger: ['operator', 'officer', 'supervisor', 'department'],
  'push rows': ['department'],
  'run nights': ['operator'],
  'rejected rows': ['operator', 'officer', 'supervisor', 'department'],
  'rejected values': ['officer', 'supervisor', 'department'],
  rules: ['operator', 'officer', 'supervisor'],
  'own account': ROLES,
  accounts: ['administrator'],
  'audit log': ['auditor'],
  'job queues': ['operator'],
} as const satisfies Record<string, readonly Role[]>;

export type Permission = keyof typeof PERMISSIONS;

/**
 * What a route asks of whoever calls it; every route says so, or the server does not start.
 * `public`: of nobody; `signed in`: of anybody who is; otherwise of the roles of the permission.
 */
export type Access = 'public' | 'signed in' | Permission;

/** Whoever a request comes from, as the warehouse knows them. */
export interface Principal {
  readonly kind: 'account' | 'token';
  readonly id: number;
  /** The sign-in name, or `token:` and the name of the token. */
  readonly name: string;
  readonly role: Role;
  /** The digits that the codes of their divisions begin with; null: everywhere. */
  readonly division: string | null;
  /** Null: all of them. */
  readonly department: string | null;
  /** What came with the request; the warehouse asks for it again (migration 0021). */
  readonly token: string;
}

/** Whether a role has a permission. */
export function isPermitted(role: Role, access: Access): boolean {
  if (access === 'public' || access === 'signed in') return true;
  const roles: readonly Role[] = PERMISSIONS[access];
  return roles.includes(role);
}
