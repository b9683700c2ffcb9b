import { spawn } from 'node:child_process';
import { chown, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import pg from 'pg';
import { describe, expect, test } from 'vitest';
import { processStart } from '../../src/schema/warehouse/embedded-process.ts';
import { kill, makeSite, query, root } from './embedded-site.ts';

const site = makeSite();

describe('after a crash', () => {
  test('the server of a killed process is taken over and stopped', async () => {
    const { child, next } = site.use();
    const url = await next();
    const pid = await site.postmaster();
    await kill(child);
    expect(await query(url, 'select 1 as one')).toEqual([{ one: 1 }]);

    const server = await site.start();
    expect(server.url).toBe(url);
    expect(await site.postmaster()).toBe(pid);
    await server.stop();
    expect(await site.serverIsLeft()).toBe(false);
  });

  test('a killed server recovers, though a child of it still computes', async () => {
    const first = await site.start({ settings: { fsync: 'on' } });
    await query(first.url, 'create table kept as select generate_series(1, 1000) as n');
    const busy = new pg.Client({ connectionString: first.url });
    busy.on('error', () => {});
    await busy.connect();
    const [{ pid: backend } = { pid: 0 }] = (await busy.query('select pg_backend_pid() as pid')).rows;
    const computing = busy
      .query('select count(*) from generate_series(1, 1e11::bigint)')
      .catch(() => 'ended');
    await expect
      .poll(() => query(first.url, `select state from pg_stat_activity where pid = ${backend}`))
      .toEqual([{ state: 'active' }]);
    const postmaster = await site.postmaster();
    process.kill(postmaster, 'SIGKILL');
    await expect.poll(() => processStart(postmaster)).toBeUndefined();

    const second = await site.start();
    expect(await computing).toBe('ended');
    expect(await processStart(backend)).toBeUndefined();
    expect(await query(second.url, 'select count(*)::int as n from kept')).toEqual([{ n: 1000 }]);
    await first.stop();
    expect(await query(second.url, 'select count(*)::int as n from kept')).toEqual([{ n: 1000 }]);
  });

  test('a number in postmaster.pid that is another program now does not matter', async () => {
    const first = await site.start();
    const pidFile = join(await site.home(), 'data', 'postmaster.pid');
    const lines = (await readFile(pidFile, 'utf8')).split('\n');
    const { uid, gid } = await stat(pidFile);
    await first.stop();
    // Of the server's account, as after a reboot that dealt out the numbers anew.
    const stranger = spawn('sleep', ['1000'], root ? { uid, gid } : {});
    site.children.push(stranger);
    await writeFile(pidFile, [stranger.pid, ...lines.slice(1)].join('\n'));
    await chown(pidFile, uid, gid);

    const second = await site.start();
    expect(await query(second.url, 'select 1 as one')).toEqual([{ one: 1 }]);
    expect(stranger.exitCode ?? stranger.signalCode).toBeNull();
  });

  test('a making of the database that was cut short is done again', async () => {
    const { child } = site.use();
    // Killed while initdb writes, or as soon as it can be seen to have.
    await expect
      .poll(
        async () =>
          (await readdir(await site.home()).catch(() => [])).some((name) => name.startsWith('unfinished-')),
        {
          interval: 5,
          timeout: 20_000,
        },
      )
      .toBe(true);
    await kill(child);
    expect(await readdir(await site.home())).not.toContain('data');

    const server = await site.start();
    expect(await query(server.url, 'select 1 as one')).toEqual([{ one: 1 }]);
    expect((await readdir(await site.home())).filter((name) => name.startsWith('unfinished-'))).toEqual([]);
  });
});
