/** What people may be; docs/server.md says what each may do. */
export const ROLES = ['viewer', 'officer', 'supervisor', 'operator', 'administrator', 'auditor'] as const;

export type Role = (typeof ROLES)[number];
