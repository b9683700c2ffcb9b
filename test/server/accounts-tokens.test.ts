import { describe, expect, test } from 'vitest';
import { newSetUpSecret } from '../../src/server/accounts/set-up.ts';
import { useApi } from './api.ts';
import { PASSWORD, useBrowser } from './browser.ts';

const api = useApi({ empty: true });

describe('the first start', () => {
  const first = (secret: unknown) =>
    useBrowser(api).post('/api/set-up', {
      secret,
      name: 'First',
      display_name: '管理员',
      password: PASSWORD,
    });

  test('a link makes the first administrator; older ones, and it itself, are void afterwards', async () => {
    expect((await useBrowser(api).get('/api/sign-in')).body).toEqual({ oidc: null, needs_set_up: true });
    const void_ = await newSetUpSecret(api.warehouse);
    const late = await newSetUpSecret(api.warehouse);
    await api.query('UPDATE access.setup_link SET expires_at = now()');
    expect((await first(late)).body).toMatchObject({ status: 403, code: 'SET_UP' });
    const secret = await newSetUpSecret(api.warehouse);
    expect((await first(void_)).body).toMatchObject({ status: 403, code: 'SET_UP' });
    expect((await first('guessed')).body).toMatchObject({ status: 403, code: 'SET_UP' });
    const weak = { secret, name: 'first', display_name: '管理员', password: 'password12' };
    expect((await useBrowser(api).post('/api/set-up', weak)).body).toMatchObject({ code: 'PASSWORD_WEAK' });
    const browser = useBrowser(api);
    const both = await Promise.all([
      browser.post('/api/set-up', { ...weak, password: PASSWORD }),
      useBrowser(api).post('/api/set-up', { ...weak, name: 'second', password: PASSWORD }),
    ]);
    expect(both.map(({ status }) => status).sort()).toEqual([200, 403]);
    expect((await first(secret)).status).toBe(403);
    expect(await newSetUpSecret(api.warehouse)).toBeNull();
    expect((await useBrowser(api).get('/api/sign-in')).body).toMatchObject({ needs_set_up: false });
    const accounts = await api.query(`SELECT role, must_change FROM access.account`);
    expect(accounts).toEqual([{ role: 'administrator', must_change: false }]);
  });
});

describe('service tokens', () => {
  test('are told once, kept as a hash, good until they are revoked, and their use is remembered', async () => {
    const administrator = await api.as({ role: 'administrator' });
    const made = await administrator.post('/api/tokens', {
      name: '房产系统',
      role: 'department',
      department: 'housing',
      days: 30,
    });
    expect(made.status, made.text).toBe(201);
    const token = String(made.at('token'));
    expect(token).toMatch(/^popshare_[\w-]{43}$/);
    const [kept] = await api.query<{ text: string; days: number }>(
      `SELECT to_jsonb(t)::text AS text, round(extract(epoch FROM expires_at - now()) / 86400)::int AS days
       FROM access.service_token t`,
    );
    expect(kept?.text).not.toContain(token);
    expect(kept?.days).toBe(30);
    const use = () =>
      api.nobody().request('GET', '/api/session', { headers: { authorization: `Bearer ${token}` } });
    expect((await use()).body).toMatchObject({
      kind: 'token',
      name: 'token:房产系统',
      role: 'department',
      department: 'housing',
      csrf_token: null,
    });
    const list = await administrator.get('/api/tokens');
    expect(list.text).not.toContain(token);
    expect(list.at('items.0.last_used_at')).not.toBeNull();
    const [before] = await api.query<{ last_used_at: Date }>(`SELECT last_used_at FROM access.service_token`);
    await use();
    expect(await api.query(`SELECT last_used_at FROM access.service_token`)).toEqual([before]);
    const place = `/api/tokens/${made.at('token_id')}`;
    expect((await administrator.request('DELETE', place)).status).toBe(200);
    expect((await use()).status).toBe(401);
    expect((await administrator.request('DELETE', place)).body).toMatchObject({ code: 'TOKEN_UNKNOWN' });
    const entries = await api.query(
      `SELECT detail ->> 'change' AS change FROM audit.entry WHERE action = 'token'`,
    );
    expect(entries).toEqual([{ change: 'created' }, { change: 'revoked' }]);
  });

  test('are no good when they have expired', async () => {
    const { token } = await api.as({ role: 'dashboard' });
    await api.query(`UPDATE access.service_token SET expires_at = now() WHERE role = 'dashboard'`);
    const answer = await api
      .nobody()
      .request('GET', '/api/session', { headers: { authorization: `Bearer ${token}` } });
    expect(answer.status).toBe(401);
  });

  test.each([
    ['longer than a year', { name: 'x', role: 'dashboard', days: 366 }, 400],
    ['of a department without naming it', { name: 'x', role: 'department' }, 422],
    ['of a dashboard, with a department', { name: 'x', role: 'dashboard', department: 'housing' }, 422],
    ['of a department that there is not', { name: 'x', role: 'department', department: 'taxes' }, 422],
    ['with the rights of a person', { name: 'x', role: 'officer' }, 400],
  ])('%s are not made', async (_what, fields, status) => {
    const administrator = await api.as({ role: 'administrator' });
    expect((await administrator.post('/api/tokens', fields)).status).toBe(status);
  });
});
