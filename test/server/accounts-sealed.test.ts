import { randomBytes } from 'node:crypto';
import { Secret, TOTP } from 'otpauth';
import { describe, expect, test } from 'vitest';
import { checkSecrets, seal, sealingKey, unseal } from '../../src/server/accounts/sealed.ts';
import { useApi } from './api.ts';
import { PASSWORD, person, useBrowser } from './browser.ts';

const secretKey = randomBytes(32).toString('base64');
const api = useApi({ empty: true, environment: { POPSHARE_SECRET_KEY: secretKey } });
const key = sealingKey({ secretKey });
const SECRET = new Secret({ size: 20 }).base32;

const keptOf = async (name: string): Promise<string> =>
  (
    await api.query<{ kept: string }>('SELECT totp_secret AS kept FROM access.account WHERE name = $1', [
      name,
    ])
  )[0]?.kept ?? '';

describe('a sealed secret', () => {
  test('is had again with the key and the account, and not otherwise', () => {
    const kept = seal(key, 7, SECRET);
    expect(kept).not.toContain(SECRET);
    expect(unseal(key, 7, kept)).toBe(SECRET);
    expect(seal(key, 7, SECRET)).not.toBe(kept);
    const other = sealingKey({ secretKey: randomBytes(32).toString('base64') });
    const touched = `${kept.slice(0, -1)}${kept.endsWith('A') ? 'Q' : 'A'}`;
    for (const attempt of [
      () => unseal(other, 7, kept),
      () => unseal(null, 7, kept),
      () => unseal(key, 8, kept),
      () => unseal(key, 7, touched),
      () => unseal(key, 7, 'sealed:AAAA'),
    ])
      expect(attempt).toThrow(expect.objectContaining({ code: 'SECRET_KEY' }));
  });

  test('without a key a secret stands as it is; what is no key is refused', () => {
    expect(sealingKey({ secretKey: undefined })).toBeNull();
    expect(seal(null, 7, SECRET)).toBe(SECRET);
    expect(unseal(key, 7, SECRET)).toBe(SECRET);
    expect(() => sealingKey({ secretKey: 'short' })).toThrow(expect.objectContaining({ code: 'SECRET_KEY' }));
  });
});

test('an authenticator is kept under the key, and its codes sign in', async () => {
  await person(api, { name: 'sealed', role: 'officer' });
  const browser = useBrowser(api);
  await browser.signIn('sealed', PASSWORD);
  const offered = await browser.post('/api/account/authenticator', { password: PASSWORD });
  const secret = String(offered.body['secret']);
  const totp = new TOTP({ secret: Secret.fromBase32(secret) });
  const [pending] = await api.query(`SELECT totp_pending FROM access.account WHERE name = 'sealed'`);
  expect(JSON.stringify(pending)).not.toContain(secret);
  await browser.send('PUT', '/api/account/authenticator', { code: totp.generate() });
  expect(await keptOf('sealed')).toMatch(/^sealed:/);
  const code = totp.generate({ timestamp: Date.now() + 30_000 });
  expect((await useBrowser(api).signIn('sealed', PASSWORD, { code })).status).toBe(200);
});

test('one that was set up before there was a key is kept under it from its next code on', async () => {
  await person(api, { name: 'before', role: 'officer' });
  await api.query(`UPDATE access.account SET totp_secret = $1 WHERE name = 'before'`, [SECRET]);
  expect(await checkSecrets(api.warehouse.db, key)).toBe(1);
  const code = new TOTP({ secret: Secret.fromBase32(SECRET) }).generate();
  expect((await useBrowser(api).signIn('before', PASSWORD, { code })).status).toBe(200);
  expect(await keptOf('before')).toMatch(/^sealed:/);
  expect(await checkSecrets(api.warehouse.db, key)).toBe(0);
  await expect(checkSecrets(api.warehouse.db, null)).rejects.toMatchObject({ code: 'SECRET_KEY' });
});

test('under another key nobody is let in, it is said why, and nobody is locked out for it', async () => {
  await person(api, { name: 'moved', role: 'officer' });
  const other = sealingKey({ secretKey: randomBytes(32).toString('base64') });
  await api.query(`UPDATE access.account SET totp_secret = $1 WHERE name = 'moved'`, [
    seal(other, 1, SECRET),
  ]);
  for (let tries = 0; tries < 6; tries++)
    expect((await useBrowser(api).signIn('moved', PASSWORD, { code: '123456' })).body).toMatchObject({
      status: 503,
      code: 'SECRET_KEY',
    });
});
