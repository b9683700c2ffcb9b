import { afterAll, describe, expect, test } from 'vitest';
import { SESSION_COOKIE } from '../../src/server/authentication.ts';
import { useApi } from './api.ts';
import { useBrowser } from './browser.ts';
import { startIdentityProvider } from './identity-provider.ts';

const CALLBACK = 'http://127.0.0.1:8080/api/session/oidc/callback';
const SECRET = 'the secret of a client that exists in this test alone';
process.env['POPSHARE_TEST_OIDC_SECRET'] = SECRET;
const provider = await startIdentityProvider(
  { id: 'popshare', secret: SECRET, redirectUri: CALLBACK },
  {
    'subject-1': { email: 'zhao.min@example.org', email_verified: true },
    'subject-2': { email: 'zhao.min@example.org', email_verified: true },
    'subject-3': { email: 'Chen.Gang@example.org', email_verified: true },
    'subject-4': { email: 'unverified@example.org', email_verified: false },
    stranger: { email: 'stranger@example.org', email_verified: true },
  },
);
afterAll(() => {
  provider.close();
});

const api = useApi({
  empty: true,
  server: {
    oidc: {
      issuer: provider.issuer,
      client_id: 'popshare',
      client_secret_env: 'POPSHARE_TEST_OIDC_SECRET',
      label: { zh: '测试', en: 'Test' },
    },
  },
});

async function account(fields: Readonly<Record<string, unknown>>): Promise<number> {
  const administrator = await api.as({ role: 'administrator' });
  const made = await administrator.post('/api/accounts', { role: 'officer', ...fields });
  expect(made.status, made.text).toBe(201);
  expect(made.at('one_time_password')).toBeNull();
  return Number(made.at('account_id'));
}

/** Begins at popshare, signs in at the provider; returns the path with which the browser comes back. */
async function throughProvider(browser: ReturnType<typeof useBrowser>, name: string, returnTo = '/') {
  const begun = await browser.get(`/api/session/oidc?return_to=${encodeURIComponent(returnTo)}`);
  expect(begun.status, begun.text).toBe(302);
  return comeBack(await provider.signIn(String(begun.headers['location']), name));
}

const comeBack = (address: string) => address.slice('http://127.0.0.1:8080'.length);

test('a linked user signs in; the session’s cookie is Strict, and the page goes on by itself', async () => {
  await account({ name: 'sun.li', oidc: { subject: 'subject-9' } });
  const browser = useBrowser(api);
  const back = await throughProvider(browser, 'subject-9', '/cases?status=new&order=due');
  const answer = await browser.get(back);
  expect(answer.status, answer.text).toBe(200);
  expect(answer.text).toContain('content="0;url=/cases?status=new&#38;order=due"');
  expect(JSON.stringify(answer.headers['set-cookie'])).toMatch(
    /__Host-popshare=[\w-]{43}; Path=\/; HttpOnly; Secure; SameSite=Strict/,
  );
  expect((await browser.get('/api/session')).body).toMatchObject({ name: 'sun.li', role: 'officer' });
  expect(
    await api.query(`SELECT detail ->> 'method' AS method FROM audit.entry WHERE actor = 'sun.li'`),
  ).toEqual([{ method: 'oidc' }]);
});

test('what goes to the provider is bound by state, nonce and PKCE; its cookie is Lax', async () => {
  const begun = await useBrowser(api).get('/api/session/oidc');
  const asked = new URL(String(begun.headers['location'])).searchParams;
  expect(Object.fromEntries(asked)).toMatchObject({
    response_type: 'code',
    code_challenge_method: 'S256',
    code_challenge: expect.stringMatching(/^[\w-]{43}$/),
    state: expect.stringMatching(/^[\w-]{43}$/),
    nonce: expect.stringMatching(/^[\w-]{43}$/),
    redirect_uri: CALLBACK,
  });
  expect(String(begun.headers['set-cookie'])).toMatch(
    /^__Host-popshare-oidc=[\w-]{43}; Max-Age=600; Path=\/; HttpOnly; Secure; SameSite=Lax$/,
  );
});

describe('an address links an account until the first sign-in; from then on it is the subject', () => {
  test('the second user with that address stays outside', async () => {
    const id = await account({ name: 'zhao.min', oidc: { email: 'Zhao.Min@example.org' } });
    const first = useBrowser(api);
    expect((await first.get(await throughProvider(first, 'subject-1'))).status).toBe(200);
    const administrator = await api.as({ role: 'administrator' });
    expect((await administrator.get(`/api/accounts/${id}`)).body).toMatchObject({
      oidc_subject: 'subject-1',
      version: 2,
    });
    const second = useBrowser(api);
    expect((await second.get(await throughProvider(second, 'subject-2'))).status).toBe(401);
    expect(second.cookies.has(SESSION_COOKIE)).toBe(false);
  });

  test('an address that the provider has not verified links nobody', async () => {
    await account({ name: 'unverified', oidc: { email: 'unverified@example.org' } });
    const browser = useBrowser(api);
    expect((await browser.get(await throughProvider(browser, 'subject-4'))).status).toBe(401);
  });
});

test('a user whom the provider knows and nobody linked is not let in, nor is one whose account is disabled', async () => {
  await account({ name: 'chen.gang', oidc: { email: 'chen.gang@example.org' } });
  await api.query(`UPDATE access.account SET disabled_at = now() WHERE name = 'chen.gang'`);
  for (const name of ['stranger', 'subject-3']) {
    const browser = useBrowser(api);
    const answer = await browser.get(await throughProvider(browser, name));
    expect(answer.body).toMatchObject({ status: 401, code: 'OIDC_FAILED' });
    expect(browser.cookies.has(SESSION_COOKIE)).toBe(false);
  }
});

describe('attacks', () => {
  const attacked = async (browser: ReturnType<typeof useBrowser>, path: string) => {
    const answer = await browser.get(path);
    expect(answer.body, answer.text).toMatchObject({ status: 401, code: 'OIDC_FAILED' });
    expect(browser.cookies.has(SESSION_COOKIE)).toBe(false);
  };

  test('an answer with another state, without one, or in another browser signs nobody in', async () => {
    await account({ name: 'attacked', oidc: { subject: 'attacked' } });
    const browser = useBrowser(api);
    const back = await throughProvider(browser, 'attacked');
    const other = useBrowser(api);
    await attacked(other, back);
    await other.get('/api/session/oidc');
    await attacked(other, back);
    const changed = useBrowser(api);
    const changedBack = await throughProvider(changed, 'attacked');
    await attacked(changed, changedBack.replace(/state=[\w-]+/, 'state=another'));
    const without = useBrowser(api);
    const withoutBack = await throughProvider(without, 'attacked');
    await attacked(without, withoutBack.replace(/&?state=[\w-]+/, ''));
  });

  test('an answer is good once, and so is its code', async () => {
    await account({ name: 'replayed', oidc: { subject: 'replayed' } });
    const browser = useBrowser(api);
    const back = await throughProvider(browser, 'replayed');
    const cookie = String(browser.cookies.get('__Host-popshare-oidc'));
    expect((await browser.get(back)).status).toBe(200);
    const thief = useBrowser(api);
    thief.cookies.set('__Host-popshare-oidc', cookie);
    await attacked(thief, back);
    // The stolen code within an attempt of the thief's own: PKCE and the provider refuse it.
    const begun = await thief.get('/api/session/oidc');
    const own = new URL(String(begun.headers['location'])).searchParams.get('state');
    await attacked(thief, back.replace(/state=[\w-]+/, `state=${own}`));
  });

  test('a code that somebody else got, never used, is of no use in one’s own attempt', async () => {
    await account({ name: 'injected', oidc: { subject: 'injected' } });
    const attacker = useBrowser(api);
    const stolen = await throughProvider(useBrowser(api), 'injected');
    const begun = await attacker.get('/api/session/oidc');
    const own = new URL(String(begun.headers['location'])).searchParams.get('state');
    await attacked(attacker, stolen.replace(/state=[\w-]+/, `state=${own}`));
  });

  test('an ID token with another nonce signs nobody in', async () => {
    await account({ name: 'nonce', oidc: { subject: 'nonce' } });
    const browser = useBrowser(api);
    const back = await throughProvider(browser, 'nonce');
    await api.query(`UPDATE access.oidc_attempt SET nonce = 'another'`);
    await attacked(browser, back);
  });

  test('an attempt that took too long signs nobody in', async () => {
    await account({ name: 'too.slow', oidc: { subject: 'too.slow' } });
    const browser = useBrowser(api);
    const back = await throughProvider(browser, 'too.slow');
    await api.query(`UPDATE access.oidc_attempt SET expires_at = now()`);
    await attacked(browser, back);
  });

  test.each(['https://evil.example', '//evil.example', '/\\evil.example', 'javascript:alert(1)'])(
    'one is not sent on to %s',
    async (page) => {
      const answer = await useBrowser(api).get(`/api/session/oidc?return_to=${encodeURIComponent(page)}`);
      expect(answer.body).toMatchObject({ status: 400, code: 'REQUEST_INVALID' });
    },
  );

  test('the provider’s refusal signs nobody in', async () => {
    const browser = useBrowser(api);
    await browser.get('/api/session/oidc');
    const state = String(browser.cookies.get('__Host-popshare-oidc'));
    await attacked(browser, `/api/session/oidc/callback?error=access_denied&state=${state}`);
  });
});

test('two accounts are not linked to one user', async () => {
  await account({ name: 'linked.once', oidc: { subject: 'shared' } });
  const administrator = await api.as({ role: 'administrator' });
  const twice = await administrator.post('/api/accounts', {
    name: 'linked.twice',
    role: 'officer',
    oidc: { subject: 'shared' },
  });
  expect(twice.body).toMatchObject({ status: 409, code: 'ACCOUNT_EXISTS' });
});
