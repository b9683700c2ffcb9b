import { expect, test } from 'vitest';
import type { Role } from '../../src/server/access.ts';
import { isPermitted, PERMISSIONS, type Permission } from '../../src/server/access.ts';
import { type Answer, type Client, useApi } from './api.ts';
import { operationsOf } from './openapi-operations.ts';
import { assignAll, OTHER, OTHER_TOWN, OWN, SUPPRESSION, TOWN, thingsOf } from './scoped-things.ts';

const api = useApi();
const things = thingsOf(api);

interface Scope {
  /** Of whoever asks; a supervisor unless given. */
  readonly role?: Role;
  readonly division?: string;
  readonly department?: string;
}

/** What one operation lists or takes that is of one division and department, and how one tells that it was had. */
interface Probe<Thing> {
  /** Makes something that is in scope of `inside`, and out of scope of `outside`. */
  readonly thing: () => Promise<Thing>;
  readonly ask: (client: Client, thing: Thing) => Promise<Answer>;
  /** Whether the answer has it, or tells that it was done; what is refused with 403 or 404 is not asked. */
  readonly had: (answer: Answer, thing: Thing) => boolean;
  readonly inside?: Scope;
  readonly outside?: readonly Scope[];
}

const INSIDE: Scope = { division: TOWN, department: OWN };
const OUTSIDE: readonly Scope[] = [
  { division: OTHER_TOWN, department: OWN },
  { division: TOWN, department: OTHER },
  { division: '110101' },
];
/** What is shown by department alone. */
const BY_DEPARTMENT = { inside: { department: OWN }, outside: [{ department: OTHER }] };
const EVERYTHING: Scope = {};
const CSV = { 'content-type': 'text/csv; charset=utf-8' };

const isDone = (answer: Answer): boolean => answer.status < 300;
const names =
  (field: string) =>
  (answer: Answer, thing: { readonly id: unknown }): boolean =>
    new RegExp(`"${field}":${JSON.stringify(thing.id)}[,}]`).test(answer.text);

const OF_BUREAU = {
  inside: { division: TOWN, department: 'public-security' },
  outside: [
    { division: OTHER_TOWN, department: 'public-security' },
    { division: TOWN, department: OTHER },
  ],
};

const OF_COUPLE = {
  inside: { division: '620802001', department: 'civil-affairs' },
  outside: [
    { division: OTHER_TOWN, department: 'civil-affairs' },
    { division: '620802001', department: 'housing' },
  ],
};
const OF_PUPIL = {
  inside: { division: '620802209', department: 'education' },
  outside: [
    { division: OTHER_TOWN, department: 'education' },
    { division: '620802209', department: 'market-supervision' },
  ],
};

/** A probe whose thing is made, and then asked for by one after the other. */
interface Ready {
  readonly inside: Scope;
  readonly outside: readonly Scope[];
  readonly make: () => Promise<
    (client: Client) => Promise<{ readonly answer: Answer; readonly had: boolean }>
  >;
}

const probe = <Thing>({ thing, ask, had, inside = INSIDE, outside = OUTSIDE }: Probe<Thing>): Ready => ({
  inside,
  outside,
  make: async () => {
    const made = await thing();
    return async (client) => {
      const answer = await ask(client, made);
      return { answer, had: had(answer, made) };
    };
  },
});
const nothing = async (): Promise<null> => null;

const PROBES: Readonly<Record<string, Ready>> = {
  'GET /api/anomalies': probe({
    thing: things.aCase,
    ask: (client, { person }) => client.get(`/api/anomalies?person=${person}`),
    had: names('anomaly_id'),
  }),
  'GET /api/anomalies/{id}': probe({
    thing: things.aCase,
    ask: (client, { id }) => client.get(`/api/anomalies/${id}`),
    had: isDone,
  }),
  'POST /api/anomalies/{id}/actions': probe({
    thing: things.aCase,
    ask: (client, { id, version }) =>
      client.post(
        `/api/anomalies/${id}/actions`,
        { action: 'assign', reason: 'by_division', owner: client.name },
        { 'if-match': `"${version}"` },
      ),
    had: isDone,
  }),
  'GET /api/anomalies/groups': probe({
    thing: async () => {
      const [{ cases } = { cases: 0 }] = await api.query<{ cases: number }>(
        `SELECT count(*) AS cases FROM anomalies.anomaly
         WHERE rule = 'MP07' AND status IN ('new', 'assigned', 'returned') AND division LIKE '${TOWN}%' AND department = '${OWN}'`,
      );
      return cases;
    },
    ask: (client) => client.get('/api/anomalies/groups'),
    had: (answer, cases) => answer.at('items.0.rule') === 'MP07' && answer.at('items.0.cases') === cases,
  }),
  'POST /api/anomalies/exports': probe({
    thing: things.aCase,
    ask: (client, { person }) =>
      client.post('/api/anomalies/exports', { filter: { person }, format: 'csv', purpose: 'case' }),
    had: ({ text }, { key }) => text.includes(key),
  }),
  'GET /api/officers': probe({
    thing: () => api.as({ role: 'officer', division: TOWN, department: OWN }),
    ask: (client) => client.get('/api/officers'),
    had: (answer, { name }) => answer.text.includes(`"${name}"`),
  }),
  'GET /api/bulk-actions': probe({
    thing: things.aBulkAction,
    ask: (client) => client.get('/api/bulk-actions'),
    had: names('bulk_id'),
    inside: EVERYTHING,
  }),
  'POST /api/bulk-actions/preview': probe({
    thing: things.aCase,
    ask: (client, { person }) => client.post('/api/bulk-actions/preview', assignAll(person, client.name)),
    had: (answer) => answer.at('matching') === 1,
  }),
  'POST /api/bulk-actions': probe({
    thing: things.aCase,
    ask: (client, { person }) => client.post('/api/bulk-actions', assignAll(person, client.name)),
    had: (answer) => answer.at('cases') === 1,
  }),
  'POST /api/bulk-actions/{id}/undo': probe({
    thing: things.aBulkAction,
    ask: (client, { id }) => client.post(`/api/bulk-actions/${id}/undo`),
    had: isDone,
    inside: EVERYTHING,
  }),
  'GET /api/suppressions': probe({
    thing: things.aSuppression,
    ask: (client) => client.get('/api/suppressions'),
    had: names('suppression_id'),
  }),
  'POST /api/suppressions': probe({
    thing: nothing,
    ask: (client) => client.post('/api/suppressions', SUPPRESSION),
    had: isDone,
  }),
  'POST /api/suppressions/{id}/lift': probe({
    thing: things.aSuppression,
    ask: (client, { id }) => client.post(`/api/suppressions/${id}/lift`),
    had: isDone,
  }),
  'GET /api/corrections': probe({
    thing: things.onList,
    ask: (client) => client.get('/api/corrections'),
    had: names('number'),
    ...OF_BUREAU,
  }),
  'GET /api/corrections/progress': probe({
    thing: things.onList,
    ask: (client) => client.get('/api/corrections/progress'),
    had: (answer) => answer.at('items.0') !== undefined,
    ...OF_BUREAU,
  }),
  'POST /api/corrections': probe({
    thing: things.returned,
    ask: (client) => client.post('/api/corrections', {}),
    had: (answer) => answer.at('issued.0') !== undefined,
    ...OF_BUREAU,
  }),
  'POST /api/corrections/{number}/files': probe({
    thing: things.onList,
    ask: (client, { id }) => client.post(`/api/corrections/${id}/files`, { format: 'csv' }),
    had: isDone,
    ...OF_BUREAU,
  }),
  'POST /api/corrections/replies': probe({
    thing: things.onList,
    ask: (client, { file }) =>
      client.request('POST', '/api/corrections/replies', { body: file, headers: CSV }),
    had: isDone,
    ...OF_BUREAU,
  }),
  'GET /api/field-checks': probe({
    thing: things.aCheck,
    ask: (client) => client.get('/api/field-checks'),
    had: names('check_id'),
  }),
  'GET /api/field-checks/villages': probe({
    thing: things.aCheck,
    ask: (client) => client.get('/api/field-checks/villages'),
    had: ({ text }, { village }) => text.includes(village),
  }),
  'POST /api/field-checks': probe({
    thing: things.aCase,
    ask: (client, { id, village }) =>
      client.post('/api/field-checks', { case: id, village, question: '是否居住在此' }),
    had: isDone,
  }),
  'POST /api/field-checks/{id}/answer': probe({
    thing: things.aCheck,
    ask: (client, { id }) =>
      client.post(`/api/field-checks/${id}/answer`, { answer: 'lives_here', by: '王村长' }),
    had: isDone,
  }),
  'POST /api/field-checks/answers': probe({
    thing: things.checkList,
    ask: (client, { file }) =>
      client.request('POST', '/api/field-checks/answers', { body: file, headers: CSV }),
    had: isDone,
  }),
  'POST /api/field-checks/files': probe({
    thing: things.aCheck,
    ask: (client, { village }) => client.post('/api/field-checks/files', { village }),
    had: isDone,
  }),
  'GET /api/persons/{id}': probe({
    thing: things.aPerson,
    ask: (client, { id }) => client.get(`/api/persons/${id}?purpose=supervision`),
    had: isDone,
    ...OF_BUREAU,
  }),
  'POST /api/persons/{id}/unmask': probe({
    thing: things.aPerson,
    ask: (client, { id }) =>
      client.post(`/api/persons/${id}/unmask`, { record: 'profile', field: 'name', purpose: 'case' }),
    had: isDone,
    ...OF_BUREAU,
  }),
  'POST /api/match': probe({
    thing: things.aPerson,
    ask: (client, { id_number, name }) => client.post('/api/match', { id_number, name, purpose: 'case' }),
    had: names('person_id'),
    ...OF_BUREAU,
  }),
  'GET /api/reviews': probe({
    thing: things.aReview('civil-affairs'),
    ask: (client) => client.get('/api/reviews'),
    had: names('review_id'),
    ...OF_COUPLE,
  }),
  'GET /api/reviews/{id}': probe({
    thing: things.aReview('civil-affairs'),
    ask: (client, { id }) => client.get(`/api/reviews/${id}`),
    had: isDone,
    ...OF_COUPLE,
  }),
  'POST /api/reviews/{id}/decision': probe({
    thing: things.aReview('civil-affairs'),
    ask: (client, { id }) =>
      client.post(`/api/reviews/${id}/decision`, { verdict: 'different', reason: '核实' }),
    had: isDone,
    ...OF_COUPLE,
  }),
  'POST /api/decisions/{id}/lift': probe({
    thing: things.aDecision,
    ask: (client, { id }) => client.post(`/api/decisions/${id}/lift`, { reason: '误判' }),
    had: isDone,
    ...OF_PUPIL,
  }),
  'GET /api/deliveries': probe({
    thing: things.aDelivery,
    ask: (client) => client.get('/api/deliveries?limit=200'),
    had: names('delivery_id'),
    ...BY_DEPARTMENT,
  }),
  'GET /api/deliveries/{id}': probe({
    thing: things.aDelivery,
    ask: (client, { id }) => client.get(`/api/deliveries/${id}`),
    had: isDone,
    ...BY_DEPARTMENT,
  }),
  'GET /api/feeds': probe({
    thing: nothing,
    ask: (client) => client.get('/api/feeds'),
    had: ({ text }) => text.includes('village_report'),
    ...BY_DEPARTMENT,
  }),
  'POST /api/feeds/{feed}/rows': probe({
    thing: nothing,
    ask: (client) =>
      client.post('/api/feeds/village_report/rows', [{ 村代码: '620802103001' }], {
        'idempotency-key': 'probe',
      }),
    had: isDone,
    inside: { role: 'department', department: OWN },
    outside: [{ role: 'department', department: OTHER }, { department: OWN }],
  }),
  'GET /api/runs/{id}': probe({
    thing: nothing,
    ask: (client) => client.get('/api/runs/1'),
    had: ({ text }) => text.includes('village_report'),
    ...BY_DEPARTMENT,
  }),
  'GET /api/rejected-rows': probe({
    thing: things.aRejectedRow,
    ask: (client) => client.get('/api/rejected-rows?limit=200'),
    had: names('rejected_row_id'),
    ...BY_DEPARTMENT,
  }),
  'POST /api/rejected-rows/export': probe({
    thing: things.aRejectedRow,
    ask: (client) => client.post('/api/rejected-rows/export', { feed: 'village_report', purpose: 'case' }),
    had: (answer) => answer.at('files.0') !== undefined,
    inside: { department: OWN },
    // Where a refused row belongs nobody knows for sure: whoever is bound to a division has none.
    outside: [{ department: OTHER }, { division: TOWN, department: OWN }, { division: TOWN }],
  }),
};

/** What is of no division and of no department, by what it asks of whoever calls it; or the operation itself. */
const OF_NO_SCOPE: Readonly<Record<string, string>> = {
  public: 'tells nothing of what is in the warehouse',
  'signed in': 'of whoever asks',
  'own account': 'of whoever asks',
  figures: 'published, small ones suppressed',
  rules: 'the same everywhere',
  'run nights': 'of operators, who have no scope',
  accounts: 'of administrators, who have no scope',
  'audit log': 'of auditors, who have no scope',
  'GET /api/runs': 'a night is of all departments; it tells when, and how it ended',
};

const operations = async () => operationsOf((await api.nobody().get('/api/openapi.json')).body);
const isPermission = (access: string): access is Permission => Object.hasOwn(PERMISSIONS, access);

test('every operation of the document says what it shows to whom, or why it is of no scope', async () => {
  const stated = (await operations()).filter(
    ({ name, access }) => !(access in OF_NO_SCOPE) && !(name in OF_NO_SCOPE),
  );
  expect(stated.map(({ name }) => name).sort()).toEqual(Object.keys(PROBES).sort());
});

test.each(Object.entries(PROBES))('%s: inside the scope, and not outside', async (name, found) => {
  const access = (await operations()).find((operation) => operation.name === name)?.access ?? '';
  if (!isPermission(access)) throw new Error(`${access} is no permission`);
  const asked = await found.make();
  const people = found.outside.map((scope) => ({ role: 'supervisor', ...scope }) as const);
  const systems = isPermitted('department', access)
    ? ([{ role: 'department', department: OTHER }] as const)
    : [];
  for (const caller of [...people, ...systems]) {
    const { answer, had } = await asked(await api.as(caller));
    const what = `${JSON.stringify(caller)}: ${answer.status} ${answer.text}`;
    expect(answer.status, what).toBeLessThan(500);
    if (![403, 404].includes(answer.status)) expect(had, what).toBe(false);
  }
  const { answer, had } = await asked(await api.as({ role: 'supervisor', ...found.inside }));
  expect(had, `${answer.status} ${answer.text}`).toBe(true);
});
