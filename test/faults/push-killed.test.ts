import { type ChildProcess, spawn } from 'node:child_process';
import { cp, readdir, readFile, writeFile } from 'node:fs/promises';
import { request } from 'node:http';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { hashOf, newSecret } from '../../src/server/accounts/secrets.ts';
import { death, useCounty } from '../support/drop.ts';
import { kill } from './disturbed.ts';

const county = useCounty('ingest');
const ROUTE = '/api/feeds/death_registration/rows';
const NIGHT = '2026-11-18';

let servers: ChildProcess[] = [];
let token = '';

beforeEach(async () => {
  servers = [];
  const config = path.join(county.base, 'config');
  await cp('config', config, { recursive: true });
  const settings = path.join(config, 'popshare.yaml');
  await writeFile(settings, (await readFile(settings, 'utf8')).replace('port: 8080', 'port: 0'));
  token = newSecret();
  await county.query(
    `INSERT INTO access.service_token (token_hash, name, role, department, created_by, expires_at)
     VALUES ($1, $2, 'department', 'civil-affairs', 'test', now() + interval '1 day')`,
    [hashOf(token), `system ${Date.now()}`],
  );
});
afterEach(async () => {
  for (const server of servers) await kill(server);
});

async function startServer(): Promise<{ server: ChildProcess; url: string }> {
  const server = spawn(process.execPath, ['bin/popshare.js', 'server'], {
    env: {
      ...{ PATH: process.env['PATH'], DATABASE_URL: county.warehouse.url },
      ...{ POPSHARE_CONFIG: path.join(county.base, 'config'), POPSHARE_DATA: county.data },
    },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  servers.push(server);
  let told = '';
  server.stderr.setEncoding('utf8').on('data', (text: string) => {
    told += text;
  });
  await expect.poll(() => told, { timeout: 60_000 }).toMatch(/listening at http/);
  return { server, url: /listening at (http:\S+);/.exec(told)?.[1] ?? '' };
}

const headers = {
  'content-type': 'application/x-ndjson',
  'idempotency-key': 'tonight',
};
const columns = (): Record<string, string> => county.binding('death_registration').columns;
const lines = (): string =>
  ['A', 'B']
    .map((key) => Object.entries(death(key, '王强', '10 08:00:00')))
    .map((fields) => Object.fromEntries(fields.map(([field, value]) => [columns()[field] ?? field, value])))
    .map((row) => `${JSON.stringify(row)}\n`)
    .join('');
const kept = (): Promise<string[]> =>
  readdir(path.join(county.data, 'landing/death_registration/pushed')).catch(() => []);

async function push(url: string): Promise<{ status: number; answer: unknown }> {
  const response = await fetch(`${url}${ROUTE}`, {
    method: 'POST',
    headers: { ...headers, authorization: `Bearer ${token}` },
    body: lines(),
  });
  return { status: response.status, answer: await response.json() };
}

test('a server killed in the middle of a push has taken nothing; sent again it is taken once, whatever is killed after', async () => {
  const first = await startServer();
  const { hostname, port } = new URL(first.url);
  const asking = request({
    ...{ hostname, port, method: 'POST', path: ROUTE },
    headers: { ...headers, 'content-length': 1_000_000, authorization: `Bearer ${token}` },
  });
  asking.on('error', () => {});
  asking.write(lines());
  await expect.poll(() => kept()).toHaveLength(1);
  await kill(first.server);
  expect(await county.query('SELECT FROM ops.push')).toEqual([]);

  const second = await startServer();
  const taken = await push(second.url);
  expect(taken.status).toBe(202);
  await kill(second.server);

  const third = await startServer();
  expect(await push(third.url)).toEqual(taken);
  await kill(third.server);
  const { deliveries } = await county.night(NIGHT, ['death_registration']);
  expect(deliveries).toMatchObject([{ status: 'applied', received: 2, new: 2 }]);
  expect(await county.records('death_registration', 'name')).toEqual({ A: '王强', B: '王强' });
  expect(await county.query('SELECT FROM ops.delivery')).toHaveLength(1);
});
