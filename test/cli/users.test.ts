import { expect, test } from 'vitest';
import { useWarehouse } from '../support/warehouse.ts';
import { popshare } from './popshare.ts';

const warehouse = useWarehouse();
const run = (...args: string[]) =>
  popshare(args, { DATABASE_URL: warehouse().url, POPSHARE_CONFIG: 'config' });

test('an account is made, listed, disabled, enabled and reset; its password is told on stdout alone', async () => {
  const added = await run(
    'user',
    'add',
    'Wang.Fang',
    '--role',
    'officer',
    '--division',
    '620802001000',
    '--json',
  );
  expect(added).toMatchObject({ code: 0, stderr: '' });
  const made = JSON.parse(added.stdout);
  expect(made).toMatchObject({
    account: { name: 'wang.fang', role: 'officer', division: '620802001', must_change: true },
    one_time_password: expect.stringMatching(/^([A-Z2-9]{4}-){4}[A-Z2-9]{4}$/),
  });
  expect(await run('user', 'disable', 'WANG.FANG')).toMatchObject({
    code: 0,
    stdout: 'wang.fang is disabled\n',
  });
  expect((await run('user', 'list')).stdout).toMatch(/wang\.fang .* 620802001 .*disabled/);
  expect(await run('user', 'enable', 'wang.fang')).toMatchObject({
    code: 0,
    stdout: 'wang.fang is enabled\n',
  });
  const reset = JSON.parse((await run('user', 'reset', 'wang.fang', '--json')).stdout);
  expect(reset.one_time_password).not.toBe(made.one_time_password);
  const { users } = JSON.parse((await run('user', 'list', '--json')).stdout);
  expect(users).toMatchObject([{ name: 'wang.fang', disabled_at: null }]);
  const { rows } = await warehouse().pool.query(
    `SELECT detail ->> 'change' AS change FROM audit.entry ORDER BY entry_id`,
  );
  expect(rows.map(({ change }) => change)).toEqual(['created', 'disabled', 'enabled', 'password reset']);
});

test('a token is made, listed and revoked', async () => {
  const added = await run(
    'token',
    'add',
    'housing system',
    '--department',
    'housing',
    '--days',
    '90',
    '--json',
  );
  const made = JSON.parse(added.stdout);
  expect(made).toMatchObject({
    role: 'department',
    department: 'housing',
    token: expect.stringMatching(/^popshare_/),
  });
  expect((await run('token', 'add', 'wall screen')).stdout).toMatch(
    /dashboard.*\nsend it as Authorization: Bearer popshare_/,
  );
  expect((await run('token', 'list')).stdout).toMatch(/wall screen.*\n.*housing system/);
  expect((await run('token', 'revoke', String(made.token_id))).code).toBe(0);
  expect(await run('token', 'revoke', String(made.token_id))).toMatchObject({
    code: 2,
    stderr: expect.stringMatching(/^TOKEN_UNKNOWN/),
  });
});

test.each([
  [['user', 'add', 'x', '--role', 'officer'], /^USAGE: name: /],
  [['user', 'add', 'somebody', '--role', 'king'], /^USAGE: role: /],
  [['user', 'add', 'somebody', '--role', 'auditor', '--division', '62'], /^ACCOUNT_INPUT/],
  [['user', 'disable', 'nobody.here'], /^ACCOUNT_UNKNOWN/],
  [['token', 'add', 'x', '--days', '400'], /^USAGE: days: /],
])('%j ends with 2 and says why', async (args, told) => {
  const { code, stdout, stderr } = await run(...args);
  expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
  expect(stderr).toMatch(told);
});
