import { describe, expect, test } from 'vitest';
import { SESSION_COOKIE } from '../../src/server/authentication.ts';
import { useApi } from './api.ts';
import { OTHER_PASSWORD, PASSWORD, person, useBrowser } from './browser.ts';

const api = useApi({ empty: true });

describe('signing in', () => {
  test('with a one-time password, one chooses a password of one’s own first', async () => {
    const administrator = await api.as({ role: 'administrator' });
    const made = await administrator.post('/api/accounts', {
      name: 'Li.Na',
      display_name: '李娜',
      role: 'officer',
      division: '620802000000',
    });
    expect(made.status, made.text).toBe(201);
    const once = String(made.at('one_time_password'));
    const browser = useBrowser(api);
    expect((await browser.signIn('li.na', once)).body).toMatchObject({
      status: 403,
      code: 'PASSWORD_EXPIRED',
    });
    expect((await browser.signIn('li.na', once, { new_password: 'short' })).body).toMatchObject({
      code: 'PASSWORD_WEAK',
    });
    expect((await browser.signIn('li.na', once, { new_password: once })).body).toMatchObject({
      code: 'PASSWORD_WEAK',
    });
    const entered = await browser.signIn('LI.NA', once, { new_password: PASSWORD });
    expect(entered.status, entered.text).toBe(200);
    expect(entered.body).toMatchObject({
      name: 'li.na',
      display_name: '李娜',
      role: 'officer',
      division: '620802',
      department: null,
      permissions: expect.arrayContaining(['cases', 'persons']),
      csrf_token: expect.any(String),
      recovery_codes: null,
    });
    expect(String(entered.headers['set-cookie'])).toMatch(
      /^__Host-popshare=[\w-]{43}; Path=\/; HttpOnly; Secure; SameSite=Strict$/,
    );
    expect((await useBrowser(api).signIn('li.na', once)).status).toBe(401);
    expect((await useBrowser(api).signIn('li.na', PASSWORD)).status).toBe(200);
  });

  test('who one is, is told with the CSRF token without which nothing is changed', async () => {
    await person(api, { name: 'wang.fang', role: 'supervisor' });
    const browser = useBrowser(api);
    await browser.signIn('wang.fang', PASSWORD);
    const session = await browser.get('/api/session');
    expect(session.body).toMatchObject({ name: 'wang.fang', role: 'supervisor' });
    expect(session.headers['cache-control']).toBe('no-store');
    const forged = await browser.send('DELETE', '/api/session', undefined, { 'x-csrf-token': '' });
    expect(forged.body).toMatchObject({ status: 403, code: 'CSRF_TOKEN' });
    const meant = await browser.send('DELETE', '/api/session', undefined, {
      'x-csrf-token': String(session.body['csrf_token']),
    });
    expect(meant.status).toBe(204);
    expect(browser.cookies.has(SESSION_COOKIE)).toBe(false);
    expect((await browser.get('/api/session')).status).toBe(401);
  });

  test('a session that somebody planted in the browser does not become one’s own', async () => {
    await person(api, { name: 'planted', role: 'officer' });
    const browser = useBrowser(api);
    browser.cookies.set(SESSION_COOKIE, 'a-token-that-the-attacker-knows-as-well-1234567');
    await browser.signIn('planted', PASSWORD);
    const first = browser.cookies.get(SESSION_COOKIE);
    expect(first).not.toBe('a-token-that-the-attacker-knows-as-well-1234567');
    await browser.signIn('planted', PASSWORD);
    expect(browser.cookies.get(SESSION_COOKIE)).not.toBe(first);
    const old = useBrowser(api);
    old.cookies.set(SESSION_COOKIE, String(first));
    expect((await old.get('/api/session')).status).toBe(401);
  });

  test('another site can neither send the form nor a body that is no JSON', async () => {
    const browser = useBrowser(api);
    const crossed = await browser.post(
      '/api/session',
      { name: 'x', password: 'y' },
      { 'sec-fetch-site': 'cross-site' },
    );
    expect(crossed.body).toMatchObject({ status: 403, code: 'CSRF_TOKEN' });
    const form = await api.server.inject({
      method: 'POST',
      url: '/api/session',
      headers: { 'content-type': 'text/plain' },
      payload: JSON.stringify({ name: 'x', password: 'y' }),
    });
    expect(form.statusCode).toBe(400);
  });
});

test('who fails learns nothing: unknown name, wrong password, disabled and one-time password too old answer the same', async () => {
  const names = ['right.name', 'disabled', 'too.late'];
  for (const name of names) await person(api, { name, role: 'officer' });
  await api.query(`UPDATE access.account SET disabled_at = now() WHERE name = 'disabled'`);
  await api.query(
    `UPDATE access.account SET must_change = true, password_set_at = now() - interval '8 days' WHERE name = 'too.late'`,
  );
  const answers = [];
  for (const [name, password] of [
    ['no.such.name', PASSWORD],
    ['right.name', OTHER_PASSWORD],
    ['disabled', PASSWORD],
    ['too.late', PASSWORD],
  ] as const) {
    const { status, text, headers } = await useBrowser(api).signIn(name, password);
    const { date: _date, ...same } = headers;
    answers.push({ status, text, headers: same });
  }
  expect(answers[0]).toMatchObject({ status: 401, text: expect.stringContaining('SIGN_IN_FAILED') });
  expect(new Set(answers.map((answer) => JSON.stringify(answer))).size).toBe(1);
});

test('a name that there is and one that there is not lock after the same number of failures', async () => {
  await person(api, { name: 'locked.out', role: 'officer' });
  const attempts = async (name: string) => {
    const answers = [];
    for (let attempt = 0; attempt < 6; attempt++) {
      const { status, body, headers } = await useBrowser(api).signIn(name, 'not the password at all');
      answers.push([status, body['code'], headers['retry-after'] === undefined]);
    }
    return answers;
  };
  const known = await attempts('locked.out');
  expect(known).toEqual(await attempts('no.such.name.either'));
  expect(known.slice(4)).toEqual([
    [401, 'SIGN_IN_FAILED', true],
    [429, 'SIGN_IN_LOCKED', false],
  ]);
  const right = await useBrowser(api).signIn('locked.out', PASSWORD);
  expect(right.body).toMatchObject({ code: 'SIGN_IN_LOCKED' });
});

test('the log has each sign-in and each failure, and no password or unknown name', async () => {
  await person(api, { name: 'logged', role: 'officer' });
  await useBrowser(api).signIn('logged', 'guessed wrongly, alas');
  await useBrowser(api).signIn('a password in the wrong field', 'x');
  const browser = useBrowser(api);
  await browser.signIn('logged', PASSWORD);
  await browser.send('DELETE', '/api/session');
  const entries = await api.query<{ action: string; detail: Record<string, unknown> }>(
    `SELECT action, detail FROM audit.entry WHERE actor = 'logged' ORDER BY entry_id`,
  );
  expect(entries).toMatchObject([
    { action: 'sign_in', detail: { address: '127.0.0.1', method: 'password' } },
    { action: 'sign_in_failed', detail: { why: 'wrong password' } },
    { action: 'sign_in' },
    { action: 'sign_out' },
  ]);
  const [log] = await api.query<{ everything: string }>(
    `SELECT string_agg(to_jsonb(e)::text, ' ') AS everything FROM audit.entry e`,
  );
  for (const secret of [PASSWORD, 'guessed wrongly', 'in the wrong field', 'argon2id'])
    expect(log?.everything).not.toContain(secret);
});

describe('the own account', () => {
  test('changing the password ends all other sessions, and gives this one another token', async () => {
    await person(api, { name: 'changes', role: 'officer' });
    const [here, there] = [useBrowser(api), useBrowser(api)];
    await here.signIn('changes', PASSWORD);
    await there.signIn('changes', PASSWORD);
    const before = here.cookies.get(SESSION_COOKIE);
    const wrong = await here.post('/api/account/password', { password: 'no', new_password: OTHER_PASSWORD });
    expect(wrong.body).toMatchObject({ code: 'SIGN_IN_FAILED' });
    const right = await here.post('/api/account/password', {
      password: PASSWORD,
      new_password: OTHER_PASSWORD,
    });
    expect(right.status, right.text).toBe(200);
    expect(here.cookies.get(SESSION_COOKIE)).not.toBe(before);
    expect((await here.get('/api/session')).body).toMatchObject({ csrf_token: right.body['csrf_token'] });
    expect((await there.get('/api/session')).status).toBe(401);
    expect((await there.signIn('changes', PASSWORD)).status).toBe(401);
    expect((await there.signIn('changes', OTHER_PASSWORD)).status).toBe(200);
  });

  test('one sees where one is signed in, and signs out elsewhere; of others one sees nothing', async () => {
    await person(api, { name: 'many.places', role: 'officer' });
    const [here, there, third] = [useBrowser(api), useBrowser(api), useBrowser(api)];
    for (const browser of [here, there, third]) await browser.signIn('many.places', PASSWORD);
    const { body } = await here.get('/api/account/sessions');
    const items = Array.isArray(body['items']) ? body['items'] : [];
    expect(items.map(({ current }) => current).filter(Boolean)).toHaveLength(1);
    const [newest] = items;
    expect((await here.send('DELETE', `/api/account/sessions/${newest.session_id}`)).status).toBe(204);
    expect((await third.get('/api/session')).status).toBe(401);
    expect((await here.send('DELETE', `/api/account/sessions/${newest.session_id}`)).status).toBe(404);
    await person(api, { name: 'somebody.else', role: 'officer' });
    const other = useBrowser(api);
    await other.signIn('somebody.else', PASSWORD);
    const own = items.find(({ current }) => current);
    expect((await other.send('DELETE', `/api/account/sessions/${own.session_id}`)).status).toBe(404);
    expect((await here.send('DELETE', '/api/account/sessions')).status).toBe(200);
    expect((await there.get('/api/session')).status).toBe(401);
    expect((await here.get('/api/session')).status).toBe(200);
  });
});
