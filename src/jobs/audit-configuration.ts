import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { sql } from 'kysely';
import { recordAct } from '../schema/warehouse/audit.ts';
import type { Warehouse } from '../schema/warehouse/connect.ts';

/** SHA-256 of each file, by its path in the configuration folder. */
type Files = Readonly<Record<string, string>>;

/**
 * Writes into the audit log which files of the configuration (settings, bindings, models, rules, indicators) are others
 * than at the last night, with their digests before and after. Nothing is written when none is. Who changed a file, the
 * file does not say: version control does.
 */
export async function recordConfiguration(warehouse: Warehouse, folder: string): Promise<void> {
  const now = await digestsOf(folder);
  const { rows } = await sql<{ files: Files }>`
    SELECT detail -> 'files' AS files FROM audit.entry WHERE action = 'configuration'
    ORDER BY entry_id DESC LIMIT 1`.execute(warehouse.db);
  const before = rows[0]?.files ?? {};
  const changed = [...new Set([...Object.keys(before), ...Object.keys(now)])]
    .filter((name) => before[name] !== now[name])
    .sort()
    .map((name) => ({ file: name, before: before[name] ?? null, after: now[name] ?? null }));
  if (changed.length === 0) return;
  await recordAct(warehouse.db, {
    actor: 'popshare',
    action: 'configuration',
    subject: 'configuration',
    // What all files are is kept for the next comparison; of the first night, all are new.
    detail: { ...(rows[0] !== undefined && { changed }), files: now },
  });
}

async function digestsOf(folder: string): Promise<Files> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const names = entries
    .filter((entry) => entry.isFile())
    .map((entry) => path.relative(folder, path.join(entry.parentPath, entry.name)))
    .sort();
  const digests: [string, string][] = [];
  for (const name of names) {
    const bytes = await readFile(path.join(folder, name));
    digests.push([name, createHash('sha256').update(bytes).digest('hex')]);
  }
  return Object.fromEntries(digests);
}
