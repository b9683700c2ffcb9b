import { cp, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { expect, test } from 'vitest';
import { seal, sealingKey } from '../../src/server/accounts/sealed.ts';
import { title, useCounty } from '../support/drop.ts';
import { inCounty, popshare } from './popshare.ts';

const county = useCounty();
const doctor = (environment: Readonly<Record<string, string>> = {}) =>
  inCounty(county)(['doctor', '--json'], environment);

const stateOf = (stdout: string): Record<string, string> =>
  Object.fromEntries(
    JSON.parse(stdout).checks.map(({ name, state }: { name: string; state: string }) => [name, state]),
  );

test('an installation that works is healthy; what waits for somebody is a warning', async () => {
  const titles = Array.from({ length: 20 }, (_, index) => title(`T${index}`, '王强'));
  await county.send('housing_ownership', '2026-11-18', titles);
  await county.send('housing_ownership', '2026-11-19', titles.slice(0, 3));
  const { code, stdout } = await doctor();
  expect(JSON.parse(stdout).healthy).toBe(true);
  expect(code).toBe(0);
  expect(stateOf(stdout)).toMatchObject({
    node: 'ok',
    configuration: 'ok',
    'file drop': 'ok',
    database: 'ok',
    clock: 'ok',
    migrations: 'ok',
    extensions: 'ok',
    roles: 'ok',
    'held deliveries': 'warning',
    notices: 'ok',
  });
});

test('authenticators that stand as they are are a warning, a key that does not open them is a problem', async () => {
  await county.query(
    `INSERT INTO access.account (name, display_name, role, totp_secret) VALUES ('li', '李', 'officer', 'BARE')`,
  );
  expect(stateOf((await doctor()).stdout)).toMatchObject({ authenticators: 'warning' });
  const key = sealingKey({ secretKey: Buffer.alloc(32, 1).toString('base64') });
  await county.query('UPDATE access.account SET totp_secret = $1', [seal(key, 1, 'BARE')]);
  const { code, stdout } = await doctor({ POPSHARE_SECRET_KEY: Buffer.alloc(32, 2).toString('base64') });
  expect(code).toBe(1);
  expect(stateOf(stdout)).toMatchObject({ authenticators: 'problem' });
});

test('every problem says how to mend it, and all of them are found at once', async () => {
  const folder = path.join(county.base, 'config');
  await cp('config', folder, { recursive: true });
  const settings = await readFile(path.join(folder, 'popshare.yaml'), 'utf8');
  await writeFile(
    path.join(folder, 'popshare.yaml'),
    `${settings}\nnotices:\n  webhooks: [{ name: duty, url: "https://x.example", secret_env: NONE }]\n`,
  );
  const { code, stdout } = await doctor({
    POPSHARE_CONFIG: folder,
    POPSHARE_DROP: path.join(county.base, 'nowhere'),
    DATABASE_URL: 'postgres://popshare:hidden@127.0.0.1:1/popshare',
    REDIS_URL: 'redis://:hidden@127.0.0.1:1',
  });
  expect(code).toBe(1);
  expect(stateOf(stdout)).toMatchObject({
    'file drop': 'problem',
    'webhook duty': 'problem',
    database: 'problem',
    redis: 'problem',
  });
  for (const check of JSON.parse(stdout).checks) if (check.state !== 'ok') expect(check.todo).not.toBe('');
  expect(stdout).not.toContain('hidden');
});

test('a configuration with a mistake is told with its line, and the warehouse is looked at all the same', async () => {
  const folder = path.join(county.base, 'config');
  await cp('config', folder, { recursive: true });
  await writeFile(path.join(folder, 'popshare.yaml'), 'county: 1\n');
  const { code, stdout } = await doctor({ POPSHARE_CONFIG: folder });
  expect(code).toBe(1);
  expect(stdout).toMatch(/popshare\.yaml:1: county/);
  expect(stateOf(stdout)).toMatchObject({ configuration: 'problem', migrations: 'ok' });
});

test('a look makes nothing: where nothing was ever run, it says what to do first', async () => {
  const { code, stdout } = await popshare(['doctor'], {
    POPSHARE_CONFIG: 'config',
    POPSHARE_DATA: path.join(county.base, 'new'),
    POPSHARE_DROP: county.drop,
  });
  expect(code).toBe(0);
  expect(stdout).toMatch(/! +database +not made yet +`npx popshare migrate`/);
});
