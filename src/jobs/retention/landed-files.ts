import { readdir, realpath, rm, rmdir, stat } from 'node:fs/promises';
import path from 'node:path';
import { type Kysely, sql, type Transaction } from 'kysely';
import type { DB } from '../../schema/database.ts';
import { PopshareError } from '../../schema/errors.ts';
import { IS_NEEDED_DELIVERY, midnight } from './expiry.ts';

const LANDING = 'landing';
/** As src/ingest/land.ts names what it stores, and what it leaves of a copy that was interrupted. */
const STORED = /^[0-9a-f]{64}\.[a-z0-9]+(\.gz)?$/;
const LEFT_OVER = /^\d+-[\d.]+\.part$/;
/** What was written since may be an arrival of which the ledger does not know yet. */
const ORPHAN_AFTER_MILLISECONDS = 86_400_000;

/** Files that no delivery needs any more: path below the data folder, size, and every delivery that names it. */
const expired = (before: string) => sql`
  SELECT d.landed_path, max(d.bytes) AS bytes, array_agg(d.delivery_id) AS deliveries
  FROM ops.delivery d WHERE d.landed_path IS NOT NULL
  GROUP BY d.landed_path
  HAVING bool_and(d.arrived_at < ${midnight(before)} AND NOT ${IS_NEEDED_DELIVERY})`;

/** How many landed files would go, and their bytes. */
export async function countLandedFiles(
  db: Kysely<DB>,
  before: string,
): Promise<{ files: number; bytes: number }> {
  const { rows } = await sql<{ files: number; bytes: number }>`
    SELECT count(*) AS files, coalesce(sum(bytes), 0)::bigint AS bytes FROM (${expired(before)}) e`.execute(
    db,
  );
  return rows[0] ?? { files: 0, bytes: 0 };
}

/**
 * Deletes landed files, the oldest first. A file goes before the ledger says so: should the process die in between,
 * the next purge finds nothing to delete, and says it.
 *
 * @returns how many files
 * @throws PATH_OUTSIDE_ROOT when the ledger names a path that is none of a landed file
 */
export async function removeLandedFiles(
  tx: Transaction<DB>,
  dataFolder: string,
  before: string,
  limit: number,
): Promise<number> {
  const { rows } = await sql<{ landed_path: string; deliveries: number[] }>`
    ${expired(before)} ORDER BY min(d.arrived_at), d.landed_path LIMIT ${limit}`.execute(tx);
  for (const { landed_path } of rows) await removeFile(dataFolder, landed_path);
  await sql`
    UPDATE ops.delivery SET landed_path = NULL, purged_on = ${before}::date
    WHERE delivery_id = ANY (${rows.flatMap(({ deliveries }) => deliveries)}::bigint[])`.execute(tx);
  return rows.length;
}

async function removeFile(dataFolder: string, landedPath: string): Promise<void> {
  const root = path.resolve(dataFolder, LANDING);
  const file = path.resolve(dataFolder, landedPath);
  const folder = path.dirname(file);
  const isBelow = (inner: string, outer: string): boolean => inner.startsWith(outer + path.sep);
  if (!isBelow(folder, root) || !STORED.test(path.basename(file)))
    throw new PopshareError(
      'PATH_OUTSIDE_ROOT',
      'the ledger names a landed file outside of the landing folder',
    );
  const real = await realpath(folder).catch(nothingThere);
  if (real === null) return;
  if (!isBelow(real, await realpath(root)))
    throw new PopshareError('PATH_OUTSIDE_ROOT', 'a folder of landed files is a link that leads out of it');
  await rm(file, { force: true });
  await removeIfEmpty(folder);
}

/**
 * Deletes what lies in the landing folder and no delivery names: leavings of copies that were interrupted. What was
 * written within a day stays, and what popshare does not name so.
 *
 * @param now the clock of the machine whose disk it is
 * @returns how many files
 */
export async function removeOrphans(db: Kysely<DB>, dataFolder: string, now: Date): Promise<number> {
  const { rows } = await sql<{ landed_path: string }>`
    SELECT landed_path FROM ops.delivery WHERE landed_path IS NOT NULL`.execute(db);
  const named = new Set(rows.map(({ landed_path }) => path.normalize(landed_path)));
  let removed = 0;
  for (const folder of await foldersOf(dataFolder)) {
    for (const entry of await readdir(path.join(dataFolder, folder), { withFileTypes: true })) {
      const file = path.join(folder, entry.name);
      const isOurs = entry.isFile() && (STORED.test(entry.name) || LEFT_OVER.test(entry.name));
      if (!isOurs || named.has(file)) continue;
      const { mtimeMs } = await stat(path.join(dataFolder, file));
      if (now.getTime() - mtimeMs < ORPHAN_AFTER_MILLISECONDS) continue;
      await rm(path.join(dataFolder, file), { force: true });
      removed++;
    }
    await removeIfEmpty(path.join(dataFolder, folder));
  }
  return removed;
}

const DATE = /^\d{4}-\d\d-\d\d$/;

/** `landing/<feed>/<date>` of every feed and date; links are not followed. What was pushed and waits is elsewhere. */
async function foldersOf(dataFolder: string): Promise<string[]> {
  const below = async (folder: string): Promise<string[]> => {
    const entries = await readdir(path.join(dataFolder, folder), { withFileTypes: true }).catch(nothingThere);
    return (entries ?? [])
      .filter((entry) => entry.isDirectory())
      .map((entry) => path.join(folder, entry.name))
      .sort();
  };
  const folders = (await Promise.all((await below(LANDING)).map(below))).flat();
  return folders.filter((folder) => DATE.test(path.basename(folder)));
}

async function removeIfEmpty(folder: string): Promise<void> {
  await rmdir(folder).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOTEMPTY' && error.code !== 'EEXIST' && error.code !== 'ENOENT') throw error;
  });
}

function nothingThere(error: NodeJS.ErrnoException): null {
  if (error.code === 'ENOENT') return null;
  throw error;
}
