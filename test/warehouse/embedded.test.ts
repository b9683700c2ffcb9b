import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { withLock } from '../../src/schema/warehouse/embedded-lock.ts';
import { kill, makeSite, moduleUrl, project, query } from './embedded-site.ts';

const site = makeSite();

describe('a first start', () => {
  test('makes the database as the warehouse needs it', async () => {
    const server = await site.start();
    expect(server.url).toMatch(/^postgres:\/\/popshare:[0-9a-f]{48}@127\.0\.0\.1:\d+\/popshare$/);
    const [facts] = await query(
      server.url,
      `select current_setting('server_version_num')::int / 10000 as version, datcollate, datlocprovider, datlocale,
              pg_encoding_to_char(encoding) as encoding, current_setting('listen_addresses') as listen,
              current_setting('unix_socket_directories') as sockets, current_setting('timezone') as zone,
              current_setting('fsync') as fsync
       from pg_database where datname = current_database()`,
    );
    expect(facts).toEqual({
      version: 18,
      datcollate: 'C.UTF-8',
      datlocprovider: 'b',
      datlocale: 'C.UTF-8',
      encoding: 'UTF8',
      listen: '127.0.0.1',
      sockets: '',
      zone: 'Asia/Shanghai',
      fsync: 'off',
    });
    expect((await stat(join(await site.home(), 'password'))).mode & 0o777).toBe(0o600);
    expect(server.logFile).toBe(join(await site.home(), 'postgres.log'));
  });

  test('has the extensions, and their trigrams know Chinese', async () => {
    const { url } = await site.start();
    await query(url, 'create extension fuzzystrmatch; create extension pg_trgm');
    const [row] = await query(
      url,
      `select similarity('幸福路街道', '幸福路街') as near, levenshtein('ab', 'ac') as far`,
    );
    expect(row).toEqual({ near: expect.closeTo(4 / 7, 1), far: 1 });
  });

  test('lets nobody in without the password', async () => {
    const { url } = await site.start();
    const wrong = url.replace(/:[0-9a-f]{48}@/, ':wrong@');
    await expect(query(wrong, 'select 1')).rejects.toThrow('password authentication failed');
  });

  test('keeps what statements say out of the log', async () => {
    const { url, logFile } = await site.start();
    await query(url, 'create table person (name text primary key)');
    await query(url, `insert into person values ('testvalue')`);
    await expect(query(url, `insert into person values ('testvalue')`)).rejects.toThrow('duplicate key');
    await expect(query(url, `select 'testvalue'::date`)).rejects.toThrow('testvalue');
    await expect(query(url, `do $$ begin raise warning 'testvalue'; end $$`)).resolves.toEqual([]);
    expect(await readFile(logFile, 'utf8')).not.toContain('testvalue');
  });
});

describe('a later start', () => {
  test('finds the data and the port, and takes changed settings', async () => {
    const first = await site.start();
    await query(first.url, 'create table kept as select 42 as answer');
    await first.stop();
    await first.stop();
    await expect(query(first.url, 'select 1')).rejects.toThrow('ECONNREFUSED');

    const second = await site.start({ settings: { work_mem: '7MB' } });
    expect(second.url).toBe(first.url);
    expect(await query(second.url, `select answer, current_setting('work_mem') as memory from kept`)).toEqual(
      [{ answer: 42, memory: '7MB' }],
    );
  });

  test('takes another port when the recorded one is taken', async () => {
    const first = await site.start();
    await first.stop();
    const other = createServer().listen(Number(new URL(first.url).port), '127.0.0.1');
    await once(other, 'listening');
    const second = await site.start();
    expect(new URL(second.url).port).not.toBe(new URL(first.url).port);
    expect(await query(second.url, 'select 1 as one')).toEqual([{ one: 1 }]);
    other.close();
    await once(other, 'close');
  });

  test('says what the server says when it does not start', async () => {
    const refused = site.start({ settings: { shared_buffers: 'plenty' } });
    await expect(refused).rejects.toMatchObject({
      code: 'EMBEDDED_FAILED',
      message: expect.stringMatching(/postgres\.log ends with:(.|\n)*shared_buffers/),
    });
    expect(await query((await site.start()).url, 'select 1 as one')).toEqual([{ one: 1 }]);
  });
});

describe('several processes', () => {
  test('share one server, which stops with the last of them', async () => {
    const server = await site.start();
    const guest = site.use();
    expect(await guest.next()).toBe(server.url);
    await server.stop();
    expect(await query(server.url, 'select 1 as one')).toEqual([{ one: 1 }]);
    guest.child.stdin?.write('\n');
    expect(await guest.next()).toBe('stopped');
    expect(await site.serverIsLeft()).toBe(false);
  });

  test('a guest that was killed does not keep the server', async () => {
    const server = await site.start();
    const guest = site.use();
    await guest.next();
    await kill(guest.child);
    await server.stop();
    expect(await site.serverIsLeft()).toBe(false);
  });

  test('a user whose number is another process now does not keep the server', async () => {
    const server = await site.start();
    await writeFile(join(await site.home(), 'users', `${process.ppid}-gone`), 'another boot 1');
    await server.stop();
    expect(await site.serverIsLeft()).toBe(false);
  });

  test('that make the database at once get one', async () => {
    const both = [site.use(), site.use()];
    const [one, other] = await Promise.all(both.map(({ next }) => next()));
    expect(one).toMatch(/^postgres:/);
    expect(other).toBe(one);
    expect((await readdir(await site.home())).filter((name) => name.startsWith('unfinished-'))).toEqual([]);
  });

  test('wait for each other, and not for ever; the dead are not waited for', async () => {
    await mkdir(site.folder);
    const refused = withLock(site.folder, 60_000, () => withLock(site.folder, 0, async () => 'taken twice'));
    await expect(refused).rejects.toMatchObject({ code: 'EMBEDDED_BUSY' });

    const script = `
      const { withLock } = await import('${moduleUrl(project, 'embedded-lock.ts')}');
      await withLock(${JSON.stringify(site.folder)}, 60000, () => {
        console.log('held');
        return new Promise(() => setInterval(() => {}, 1000));
      });`;
    const holder = spawn(process.execPath, ['--input-type=module', '--eval', script], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    site.children.push(holder);
    if (holder.stdout === null) throw new Error('no output');
    await once(holder.stdout, 'data');
    await expect(withLock(site.folder, 0, async () => 'taken')).rejects.toMatchObject({
      code: 'EMBEDDED_BUSY',
    });
    await kill(holder);
    expect(await withLock(site.folder, 0, async () => 'taken')).toBe('taken');
  });
});
