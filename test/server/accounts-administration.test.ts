import { describe, expect, test } from 'vitest';
import { changeAccount, setDisabled } from '../../src/server/accounts/administration.ts';
import { type Answer, useApi } from './api.ts';
import { PASSWORD, person, useBrowser } from './browser.ts';

const api = useApi({ empty: true });
const SURROUNDINGS = { departments: [], issuer: null };

/** The headers of a change of what was seen. */
const ifMatch = (seen: Answer) => ({ 'if-match': String(seen.headers['etag']) });

async function administrator() {
  return api.as({ role: 'administrator' });
}

test('an account is made, read, changed and listed; nothing that proves who somebody is comes out', async () => {
  const client = await administrator();
  const made = await client.post('/api/accounts', {
    name: 'qian.jing',
    role: 'officer',
    division: '620802001',
    department: 'civil-affairs',
    email: 'qian.jing@example.org',
  });
  expect(made.status, made.text).toBe(201);
  const place = String(made.headers['location']);
  const seen = await client.get(place);
  expect(seen.body).toMatchObject({
    name: 'qian.jing',
    division: '620802001',
    must_change: true,
    version: 1,
  });
  const changed = await client.request('PATCH', place, {
    body: { email: null, display_name: '钱静' },
    headers: ifMatch(seen),
  });
  expect(changed.body).toMatchObject({
    email: null,
    display_name: '钱静',
    division: '620802001',
    version: 2,
  });
  const list = await client.get('/api/accounts?text=钱');
  expect(list.at('items.0.name')).toBe('qian.jing');
  for (const { text } of [made, seen, changed, list]) expect(text).not.toMatch(/argon2|hash|totp_secret/);
});

test('who saw an older version changes nothing, and who saw none is asked', async () => {
  const client = await administrator();
  const place = `/api/accounts/${await person(api, { name: 'seen.twice', role: 'officer' })}`;
  const seen = await client.get(place);
  const change = (headers: Readonly<Record<string, string>>) =>
    client.request('PATCH', place, { body: { display_name: 'x' }, headers });
  expect((await change({})).status).toBe(428);
  expect((await change(ifMatch(seen))).status).toBe(200);
  expect((await change(ifMatch(seen))).body).toMatchObject({ status: 412, code: 'ACCOUNT_CHANGED' });
});

test('pages of accounts follow each other without a gap or a repetition', async () => {
  const client = await administrator();
  for (const name of ['page.c', 'page.a', 'page.d', 'page.b'])
    await client.post('/api/accounts', { name, role: 'viewer' });
  const names: unknown[] = [];
  for (let after = ''; after !== 'null'; ) {
    const page = await client.get(`/api/accounts?text=page.&limit=3&after=${after}`);
    for (let at = 0; page.at(`items.${at}`) !== undefined; at++) names.push(page.at(`items.${at}.name`));
    after = String(page.at('next'));
  }
  expect(names).toEqual(['page.a', 'page.b', 'page.c', 'page.d']);
});

test.each([
  ['a division that there is not', { role: 'officer', division: '990000' }],
  ['a department that there is not', { role: 'officer', department: 'taxes' }],
  ['a scope for an operator', { role: 'operator', division: '620802' }],
  ['a scope for an auditor', { role: 'auditor', department: 'housing' }],
  ['a user of a provider that there is not', { role: 'officer', oidc: { subject: '1' } }],
])('%s is refused', async (_what, fields) => {
  const answer = await (await administrator()).post('/api/accounts', { name: 'refused', ...fields });
  expect(answer.body, answer.text).toMatchObject({ status: 422, code: 'ACCOUNT_INPUT' });
});

test('a name is given once, however it is written', async () => {
  const client = await administrator();
  expect((await client.post('/api/accounts', { name: 'given', role: 'viewer' })).status).toBe(201);
  const again = await client.post('/api/accounts', { name: 'Ｇiven', role: 'viewer' });
  expect(again.body).toMatchObject({ status: 409, code: 'ACCOUNT_EXISTS' });
});

describe('at once', () => {
  test.each([
    ['another role', { role: 'viewer' }],
    ['another division', { division: '620802001' }],
    ['another department', { department: 'housing' }],
  ])('%s ends the sessions', async (what, change) => {
    const name = what.replaceAll(' ', '.');
    const place = `/api/accounts/${await person(api, { name, role: 'officer' })}`;
    const browser = useBrowser(api);
    await browser.signIn(name, PASSWORD);
    const client = await administrator();
    const changed = await client.request('PATCH', place, {
      body: change,
      headers: ifMatch(await client.get(place)),
    });
    expect(changed.body, changed.text).toMatchObject({ ...change, sessions: 0 });
    expect((await browser.get('/api/session')).status).toBe(401);
    await browser.signIn(name, PASSWORD);
    expect((await browser.get('/api/session')).body).toMatchObject(change);
  });

  test('a disabled account is out, and in again when it is enabled', async () => {
    const place = `/api/accounts/${await person(api, { name: 'on.leave', role: 'officer' })}`;
    const browser = useBrowser(api);
    await browser.signIn('on.leave', PASSWORD);
    const client = await administrator();
    const act = async (verb: string) =>
      client.post(`${place}/${verb}`, undefined, ifMatch(await client.get(place)));
    expect((await act('disable')).status).toBe(200);
    expect((await browser.get('/api/session')).status).toBe(401);
    expect((await browser.signIn('on.leave', PASSWORD)).status).toBe(401);
    expect((await act('enable')).body).toMatchObject({ disabled_at: null });
    expect((await browser.signIn('on.leave', PASSWORD)).status).toBe(200);
    expect((await client.request('DELETE', `${place}/sessions`)).body).toEqual({ ended: 1 });
    expect((await browser.get('/api/session')).status).toBe(401);
  });

  test('a reset ends sessions and lock, and the old password is no more', async () => {
    const place = `/api/accounts/${await person(api, { name: 'forgot', role: 'officer' })}`;
    const browser = useBrowser(api);
    await browser.signIn('forgot', PASSWORD);
    for (let guess = 0; guess < 6; guess++) await useBrowser(api).signIn('forgot', 'a guess');
    const client = await administrator();
    const seen = await client.get(place);
    expect(seen.at('locked_until')).not.toBeNull();
    const reset = await client.post(`${place}/reset`, {}, ifMatch(seen));
    expect(reset.body).toMatchObject({ locked_until: null, must_change: true, sessions: 0 });
    expect((await browser.get('/api/session')).status).toBe(401);
    expect((await browser.signIn('forgot', PASSWORD)).body).toMatchObject({ code: 'SIGN_IN_FAILED' });
    const once = String(reset.at('one_time_password'));
    expect((await browser.signIn('forgot', once, { new_password: PASSWORD })).status).toBe(200);
  });
});

test('the last administrator stays, also when two take each other’s role away at the same moment', async () => {
  await api.query(`DELETE FROM access.session`);
  await api.query(`UPDATE access.account SET disabled_at = now() WHERE role = 'administrator'`);
  const [first, second] = [await administrator(), await administrator()];
  const ids = await api.query<{ account_id: number }>(
    `SELECT account_id FROM access.account WHERE name = ANY ($1)`,
    [[first.name, second.name]],
  );
  const told = await Promise.allSettled(
    ids.map(({ account_id: accountId }) =>
      changeAccount(api.warehouse, { accountId }, { role: 'viewer' }, { name: 'test' }, SURROUNDINGS),
    ),
  );
  expect(told.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
  expect(told.find(({ status }) => status === 'rejected')).toMatchObject({
    reason: { code: 'LAST_ADMINISTRATOR', status: 409 },
  });
  const [last] = await api.query<{ account_id: number }>(
    `SELECT account_id FROM access.account WHERE role = 'administrator' AND disabled_at IS NULL`,
  );
  await expect(
    setDisabled(api.warehouse, { accountId: last?.account_id ?? 0 }, true, { name: 'test' }),
  ).rejects.toMatchObject({ code: 'LAST_ADMINISTRATOR' });
});

test('the log has each change with before and after, under the name of the administrator', async () => {
  const client = await administrator();
  const made = await client.post('/api/accounts', { name: 'in.the.log', role: 'officer' });
  const place = String(made.headers['location']);
  await client.request('PATCH', place, { body: { role: 'supervisor' }, headers: ifMatch(made) });
  const entries = await api.query(
    `SELECT actor, action, detail FROM audit.entry WHERE subject = $1 ORDER BY entry_id`,
    [`account ${made.at('account_id')}`],
  );
  expect(entries).toMatchObject([
    { actor: client.name, action: 'account', detail: { change: 'created', after: { role: 'officer' } } },
    { detail: { change: 'changed', before: { role: 'officer' }, after: { role: 'supervisor' } } },
  ]);
  expect(JSON.stringify(entries)).not.toContain(String(made.at('one_time_password')));
});
