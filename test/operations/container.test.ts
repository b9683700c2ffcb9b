import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { cp, mkdir, readdir, readFile, symlink } from 'node:fs/promises';
import path from 'node:path';
import { text } from 'node:stream/consumers';
import { expect, test } from 'vitest';
import { useCounty } from '../support/drop.ts';

const county = useCounty();

/** What the Dockerfile copies from the project, and what it runs. */
async function image(): Promise<{ files: string[]; entrypoint: string[] }> {
  const lines = (await readFile('Dockerfile', 'utf8')).split('\n');
  const files = lines
    .filter((line) => line.startsWith('COPY ') && !line.includes('--from'))
    .flatMap((line) => line.split(' ').slice(1, -1));
  const entrypoint =
    lines.find((line) => line.startsWith('ENTRYPOINT '))?.slice('ENTRYPOINT '.length) ?? '[]';
  return { files: [...new Set(files)], entrypoint: JSON.parse(entrypoint) };
}

/** What stands below the code; packages are shared with the tests, whose runner keeps a cache among them. */
async function written(code: string): Promise<string[]> {
  const names = await readdir(code, { recursive: true });
  return names.filter((name) => !name.startsWith('node_modules/')).sort();
}

test('the files of the image are enough for a night, and nothing is written beside the data', async () => {
  const { files, entrypoint } = await image();
  const code = path.join(county.base, 'code');
  await mkdir(code);
  for (const name of files) await cp(name, path.join(code, name), { recursive: true });
  await symlink(path.resolve('node_modules'), path.join(code, 'node_modules'));
  const before = await written(code);
  for (const args of [
    ['migrate'],
    ['nightly', '--date', '2026-11-18', '--feed', 'death_registration', '--json'],
  ]) {
    const child = spawn(process.execPath, [...entrypoint.slice(1), ...args], {
      cwd: code,
      env: {
        DATABASE_URL: county.warehouse.url,
        POPSHARE_CONFIG: path.join(code, 'config'),
        POPSHARE_DATA: county.data,
        POPSHARE_DROP: path.resolve('demo/deliveries'),
      },
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    const errors = text(child.stderr);
    await once(child, 'close');
    expect(child.exitCode, await errors).toBe(0);
  }
  expect(await written(code)).toEqual(before);
}, 180_000);

test('the image has no more of the project than the Dockerfile copies', async () => {
  const { files } = await image();
  const ignored = (await readFile('.dockerignore', 'utf8')).split('\n');
  expect(ignored).toContain('*');
  expect(ignored.filter((line) => line.startsWith('!')).sort()).toEqual(
    files.map((name) => `!${name}`).sort(),
  );
});
