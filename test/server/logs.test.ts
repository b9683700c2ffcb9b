import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, cp, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { parse } from 'csv-parse/sync';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { popshare } from '../cli/popshare.ts';
import { kill } from '../faults/disturbed.ts';

let folder = '';
let server: ChildProcess | undefined;

beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'popshare-logs-'));
  // Run by root, the server's account must get in: its log is one of those that are read.
  await chmod(folder, 0o711);
});
afterEach(async () => {
  if (server !== undefined) await kill(server);
  await rm(folder, { recursive: true, force: true });
});

/** Every document number, telephone and name of the sample's first night. */
async function personalValues(): Promise<string[]> {
  const registers: [string, string, string[]][] = [
    ['public-security/household_register', ',', ['公民身份号码', '姓名', '联系电话']],
    ['human-resources/social_insurance', '|', ['公民身份号码', '姓名', '联系电话']],
  ];
  const values = new Set<string>();
  for (const [file, delimiter, columns] of registers) {
    const bytes = await readFile(path.join('demo', 'deliveries', `${file}_20261118.csv`));
    const text = new TextDecoder('gb18030').decode(bytes);
    const rows: Record<string, string>[] = parse(text, { columns: true, delimiter, bom: true });
    for (const row of rows) for (const column of columns) values.add(row[column] ?? '');
  }
  return [...values].filter((value) => value.length >= 2);
}

/** All that is written below a folder by whoever logs there. */
async function logsBelow(root: string): Promise<string> {
  const files = await readdir(root, { recursive: true, withFileTypes: true });
  const logs = files.filter((file) => file.isFile() && file.name.endsWith('.log'));
  const texts = await Promise.all(
    logs.map((file) => readFile(path.join(file.parentPath, file.name), 'utf8')),
  );
  return texts.join('\n');
}

test('no log of three nights and of the server has a number, a telephone or a name of the sample', async () => {
  const config = path.join(folder, 'config');
  await cp('config', config, { recursive: true });
  const settings = path.join(config, 'popshare.yaml');
  await writeFile(settings, (await readFile(settings, 'utf8')).replace('port: 8080', 'port: 0'));
  const environment = {
    POPSHARE_DATA: path.join(folder, 'data'),
    POPSHARE_CONFIG: config,
    LOG_LEVEL: 'trace',
  };
  let log = '';
  for (const date of ['2026-11-18', '2026-11-19', '2026-11-20']) {
    const night = await popshare(
      ['nightly', '--date', date, '--drop', 'demo/deliveries', '--json'],
      environment,
    );
    expect([0, 3]).toContain(night.code);
    log += night.stderr;
  }
  const values = await personalValues();
  expect(values.length).toBeGreaterThan(5_000);

  server = spawn(process.execPath, ['bin/popshare.js', 'server'], {
    env: { PATH: process.env['PATH'], HOME: process.env['HOME'], ...environment },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let told = '';
  server.stderr?.setEncoding('utf8').on('data', (text: string) => {
    told += text;
  });
  await expect.poll(() => told, { timeout: 60_000 }).toMatch(/listening at http/);
  const url = /listening at (http:\S+);/.exec(told)?.[1];
  const [idNumber = '', name = ''] = values;
  for (const [method, address, body] of [
    ['GET', `/api/anomalies?owner=${encodeURIComponent(name)}&person=${idNumber}`, undefined],
    ['POST', '/api/match', JSON.stringify({ name, id_number: idNumber })],
    ['POST', '/api/session', JSON.stringify({ name, password: idNumber })],
    ['GET', `/api/${encodeURIComponent(name)}`, undefined],
  ] as const)
    await fetch(`${url}${address}`, {
      method,
      headers: { 'content-type': 'application/json', authorization: `Bearer ${idNumber}` },
      ...(body !== undefined && { body }),
    });
  server.kill('SIGTERM');
  await once(server, 'close');
  const ofPostgres = await logsBelow(folder);
  expect(ofPostgres).toContain('database system is ready');
  log += told + ofPostgres;

  expect(log).toContain('"msg":"request"');
  expect(log).toContain('"msg":"delivery processed"');
  const found = values.filter((value) => log.includes(value));
  expect(found).toEqual([]);
}, 300_000);
