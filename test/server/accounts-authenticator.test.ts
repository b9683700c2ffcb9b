import { Secret, TOTP } from 'otpauth';
import { describe, expect, test } from 'vitest';
import { stepOf } from '../../src/server/accounts/authenticator.ts';
import { useApi } from './api.ts';
import { PASSWORD, person, useBrowser } from './browser.ts';

const api = useApi({ empty: true, server: { accounts: { code_required: ['supervisor', 'administrator'] } } });

/** Codes of an authenticator app. */
const app = (secret: unknown) => new TOTP({ secret: Secret.fromBase32(String(secret)) });
const NEXT_STEP = 30_000;

/** Signs in and sets an authenticator up. */
async function withAuthenticator(name: string) {
  await person(api, { name, role: 'officer' });
  const browser = useBrowser(api);
  await browser.signIn(name, PASSWORD);
  const offered = await browser.post('/api/account/authenticator', { password: PASSWORD });
  expect(offered.status, offered.text).toBe(200);
  const totp = app(offered.body['secret']);
  const done = await browser.send('PUT', '/api/account/authenticator', { code: totp.generate() });
  expect(done.status, done.text).toBe(200);
  const codes = done.body['recovery_codes'];
  return { browser, totp, codes: Array.isArray(codes) ? codes.map(String) : [] };
}

test('codes are those of RFC 6238, good a step before and after, and never a second time', () => {
  // Appendix B of the RFC: the secret is "12345678901234567890", at 59 seconds the code ends with 287082.
  const secret = Secret.fromUTF8('12345678901234567890').base32;
  const at = new Date(59_000);
  expect(stepOf(secret, '287082', at, null)).toBe(1);
  expect(stepOf(secret, '287082', new Date(59_000 + NEXT_STEP), null)).toBe(1);
  expect(stepOf(secret, '287082', new Date(59_000 + 2 * NEXT_STEP), null)).toBeNull();
  expect(stepOf(secret, '287082', at, 0)).toBe(1);
  expect(stepOf(secret, '287082', at, 1)).toBeNull();
  expect(stepOf(secret, '287083', at, null)).toBeNull();
});

describe('an authenticator of one’s own choice', () => {
  test('signing in asks for the code, and takes each code once', async () => {
    const { totp } = await withAuthenticator('with.code');
    const browser = useBrowser(api);
    expect((await browser.signIn('with.code', PASSWORD)).body).toMatchObject({ code: 'CODE_REQUIRED' });
    // The code that set it up is used already.
    expect((await browser.signIn('with.code', PASSWORD, { code: totp.generate() })).status).toBe(401);
    const code = totp.generate({ timestamp: Date.now() + NEXT_STEP });
    expect((await browser.signIn('with.code', PASSWORD, { code })).status).toBe(200);
    expect((await useBrowser(api).signIn('with.code', PASSWORD, { code })).status).toBe(401);
    const method = await api.query(
      `SELECT method FROM access.session JOIN access.account USING (account_id)
       WHERE name = 'with.code' ORDER BY session_id DESC LIMIT 1`,
    );
    expect(method).toEqual([{ method: 'password and code' }]);
  });

  test('of two who send the same code at the same moment, one is let in', async () => {
    const { totp } = await withAuthenticator('at.once');
    const code = totp.generate({ timestamp: Date.now() + NEXT_STEP });
    const told = await Promise.all(
      [useBrowser(api), useBrowser(api)].map((browser) => browser.signIn('at.once', PASSWORD, { code })),
    );
    expect(told.map(({ status }) => status).sort()).toEqual([200, 401]);
  });

  test('a recovery code is good once, and is kept as a hash', async () => {
    const { codes } = await withAuthenticator('recovers');
    expect(codes).toHaveLength(10);
    const [first = '', second = ''] = codes;
    expect((await useBrowser(api).signIn('recovers', PASSWORD, { code: first.toLowerCase() })).status).toBe(
      200,
    );
    expect((await useBrowser(api).signIn('recovers', PASSWORD, { code: first })).status).toBe(401);
    expect(
      (await useBrowser(api).signIn('recovers', PASSWORD, { code: second.replaceAll('-', '') })).status,
    ).toBe(200);
    const [kept] = await api.query<{ text: string }>(
      `SELECT string_agg(to_jsonb(c)::text, ' ') AS text FROM access.recovery_code c`,
    );
    expect(kept?.text).not.toContain(first.replaceAll('-', ''));
  });

  test('codes are not guessed: wrong ones lock the name, also with the right password', async () => {
    await withAuthenticator('guessed.code');
    const browser = useBrowser(api);
    for (let guess = 0; guess < 5; guess++) {
      await browser.signIn('guessed.code', PASSWORD, { code: '000000' });
      await browser.signIn('guessed.code', PASSWORD);
    }
    expect((await browser.signIn('guessed.code', PASSWORD, { code: '000000' })).body).toMatchObject({
      code: 'SIGN_IN_LOCKED',
    });
  });

  test('taking it away asks for the password; from then on there is no code', async () => {
    const { browser } = await withAuthenticator('takes.away');
    const remove = (password: string) => browser.post('/api/account/authenticator/removal', { password });
    expect((await remove('a guess')).status).toBe(401);
    expect((await remove(PASSWORD)).status).toBe(204);
    expect((await useBrowser(api).signIn('takes.away', PASSWORD)).status).toBe(200);
  });
});

test('a role that must have one sets it up before the first session, and cannot take it away', async () => {
  await person(api, { name: 'must.have', role: 'supervisor' });
  const browser = useBrowser(api);
  const administrator = await api.as({ role: 'administrator' });
  const found = await administrator.get('/api/accounts?text=must.have');
  const id = found.at('items.0.account_id');
  const reset = await administrator.post(
    `/api/accounts/${id}/reset`,
    {},
    {
      'if-match': `"${found.at('items.0.version')}"`,
    },
  );
  const once = String(reset.at('one_time_password'));
  expect((await browser.signIn('must.have', once)).body).toMatchObject({ code: 'CODE_SETUP_REQUIRED' });
  const refused = await browser.post('/api/session/authenticator', {
    name: 'must.have',
    password: 'a guess',
  });
  expect(refused.body).toMatchObject({ code: 'SIGN_IN_FAILED' });
  const offered = await browser.post('/api/session/authenticator', { name: 'must.have', password: once });
  const totp = app(offered.body['secret']);
  expect(offered.body['uri']).toMatch(/^otpauth:\/\/totp\/popshare:must\.have\?/);
  const code = totp.generate();
  expect((await browser.signIn('must.have', once, { code })).body).toMatchObject({
    code: 'PASSWORD_EXPIRED',
  });
  const entered = await browser.signIn('must.have', once, { code, new_password: PASSWORD });
  expect(entered.status, entered.text).toBe(200);
  expect(entered.body['recovery_codes']).toHaveLength(10);
  expect((await browser.post('/api/account/authenticator/removal', { password: PASSWORD })).status).toBe(403);
  // Whoever knows the password alone does not put another one in its place.
  const thief = await useBrowser(api).post('/api/session/authenticator', {
    name: 'must.have',
    password: PASSWORD,
  });
  expect(thief.body).toMatchObject({ code: 'FORBIDDEN' });
});
