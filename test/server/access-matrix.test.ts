import { expect, test } from 'vitest';
import type { Role } from '../../src/server/access.ts';
import { useApi } from './api.ts';
import { type Operation, operationsOf } from './openapi-operations.ts';

const api = useApi();

const ROLES: readonly Role[] = [
  'viewer',
  'officer',
  'supervisor',
  'operator',
  'administrator',
  'auditor',
  'department',
  'dashboard',
];

const OFFICERS: readonly Role[] = ['officer', 'supervisor'];
const CORRECTING: readonly Role[] = ['officer', 'supervisor', 'department'];
const LEDGER: readonly Role[] = ['operator', 'officer', 'supervisor', 'department'];
const FIGURES: readonly Role[] = ['viewer', 'officer', 'supervisor', 'operator', 'dashboard'];

const PEOPLE: readonly Role[] = ['viewer', 'officer', 'supervisor', 'operator', 'administrator', 'auditor'];

/** Who may call what, written down apart from the code: a new route without a line here fails. */
const MATRIX: Readonly<Record<string, 'everybody' | 'whoever is signed in' | readonly Role[]>> = {
  'GET /healthz': 'everybody',
  'GET /readyz': 'everybody',
  'GET /metrics': 'everybody',
  'GET /api/audit': ['auditor'],
  'GET /api/audit/verification': ['auditor'],
  'GET /api/anomalies': OFFICERS,
  'GET /api/anomalies/{id}': OFFICERS,
  'POST /api/anomalies/{id}/actions': OFFICERS,
  'GET /api/anomalies/groups': OFFICERS,
  'POST /api/anomalies/exports': OFFICERS,
  'GET /api/officers': ['supervisor'],
  'GET /api/bulk-actions': ['supervisor'],
  'POST /api/bulk-actions': ['supervisor'],
  'POST /api/bulk-actions/preview': ['supervisor'],
  'POST /api/bulk-actions/{id}/undo': ['supervisor'],
  'GET /api/suppressions': OFFICERS,
  'POST /api/suppressions': ['supervisor'],
  'POST /api/suppressions/{id}/lift': ['supervisor'],
  'GET /api/corrections': CORRECTING,
  'POST /api/corrections': OFFICERS,
  'GET /api/corrections/progress': CORRECTING,
  'POST /api/corrections/{number}/files': CORRECTING,
  'POST /api/corrections/replies': CORRECTING,
  'GET /api/field-checks': OFFICERS,
  'POST /api/field-checks': OFFICERS,
  'GET /api/field-checks/villages': OFFICERS,
  'POST /api/field-checks/{id}/answer': OFFICERS,
  'POST /api/field-checks/answers': OFFICERS,
  'POST /api/field-checks/files': OFFICERS,
  'GET /api/persons/{id}': OFFICERS,
  'POST /api/persons/{id}/unmask': OFFICERS,
  'POST /api/match': CORRECTING,
  'GET /api/reviews': OFFICERS,
  'GET /api/reviews/{id}': OFFICERS,
  'POST /api/reviews/{id}/decision': ['supervisor'],
  'POST /api/decisions/{id}/lift': ['supervisor'],
  'GET /api/deliveries': LEDGER,
  'GET /api/deliveries/{id}': LEDGER,
  'POST /api/deliveries/{id}/decision': ['operator'],
  'GET /api/feeds': LEDGER,
  'POST /api/feeds/{feed}/rows': ['department'],
  'GET /api/indicators': FIGURES,
  'GET /api/scorecards': FIGURES,
  'GET /api/rejected-rows': LEDGER,
  'POST /api/rejected-rows/export': ['officer', 'supervisor', 'department'],
  'GET /api/rules': ['operator', 'officer', 'supervisor'],
  'GET /api/rules/{rule}': ['operator', 'officer', 'supervisor'],
  'GET /api/rule-worth': ['operator'],
  'GET /api/runs': LEDGER,
  'GET /api/runs/{id}': LEDGER,
  'POST /api/runs': ['operator'],
  'GET /api/sign-in': 'everybody',
  'POST /api/session': 'everybody',
  'POST /api/session/authenticator': 'everybody',
  'GET /api/session/oidc': 'everybody',
  'GET /api/session/oidc/callback': 'everybody',
  'POST /api/set-up': 'everybody',
  'GET /api/session': 'whoever is signed in',
  'DELETE /api/session': 'whoever is signed in',
  'GET /api/account/sessions': PEOPLE,
  'DELETE /api/account/sessions': PEOPLE,
  'DELETE /api/account/sessions/{id}': PEOPLE,
  'POST /api/account/password': PEOPLE,
  'POST /api/account/authenticator': PEOPLE,
  'PUT /api/account/authenticator': PEOPLE,
  'POST /api/account/authenticator/removal': PEOPLE,
  'GET /api/accounts': ['administrator'],
  'POST /api/accounts': ['administrator'],
  'GET /api/accounts/{id}': ['administrator'],
  'PATCH /api/accounts/{id}': ['administrator'],
  'POST /api/accounts/{id}/disable': ['administrator'],
  'POST /api/accounts/{id}/enable': ['administrator'],
  'POST /api/accounts/{id}/reset': ['administrator'],
  'DELETE /api/accounts/{id}/sessions': ['administrator'],
  'GET /api/tokens': ['administrator'],
  'POST /api/tokens': ['administrator'],
  'DELETE /api/tokens/{id}': ['administrator'],
};

async function operations(): Promise<Operation[]> {
  return operationsOf((await api.nobody().get('/api/openapi.json')).body);
}

/** Somewhere to call: what the path names need not exist, because who may call is asked first. */
const urlOf = ({ path }: Operation): string => path.replaceAll(/\{\w+\}/g, '999999');

test('every route of the document is in the matrix, and the matrix has no other', async () => {
  const names = (await operations()).map(({ name }) => name);
  expect(names.sort()).toEqual(Object.keys(MATRIX).sort());
});

test.each(ROLES)('a %s may call what the matrix says, and nothing else', async (role) => {
  for (const operation of await operations()) {
    // Each with a session of its own: one of the routes ends it.
    const client = await api.as({ role, department: role === 'department' ? 'housing' : null });
    const allowed = MATRIX[operation.name] ?? [];
    const may = typeof allowed === 'string' || allowed.includes(role);
    const { status, text } = await client.request(operation.method, urlOf(operation), {
      ...(operation.body !== null && { body: {} }),
    });
    if (may) expect([401, 403], `${operation.name}: ${text}`).not.toContain(status);
    else expect(status, `${operation.name}: ${text}`).toBe(403);
  }
});

test('nobody, and whoever comes with a session that has ended, may call what everybody may, and nothing else', async () => {
  const officer = await api.as({ role: 'supervisor' });
  await api.query(`UPDATE access.session SET expires_at = now() - interval '1 second'`);
  for (const client of [api.nobody(), officer])
    for (const operation of await operations()) {
      const { status } = await client.request(operation.method, urlOf(operation), {
        ...(operation.body !== null && { body: {} }),
      });
      if (MATRIX[operation.name] === 'everybody') expect([401, 403], operation.name).not.toContain(status);
      else if (status !== 401) expect([operation.name, status]).toEqual([operation.name, 401]);
    }
});
