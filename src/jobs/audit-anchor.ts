import { appendFile, mkdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { PopshareError } from '../schema/errors.ts';
import { type AuditHead, auditHead } from '../schema/warehouse/audit.ts';
import type { Warehouse } from '../schema/warehouse/connect.ts';

const FILE = 'audit-anchors.log';
const LINE = /^(\d{4}-\d\d-\d\d) (\d+) ([0-9a-f]{64})$/;

/**
 * Writes down outside the database how far the audit log has come, so that nobody who can write the database can
 * rewrite what was before. When nothing was added since the last anchor, nothing is written.
 *
 * @param date YYYY-MM-DD, for the reader of the file
 */
export async function writeAnchor(warehouse: Warehouse, dataFolder: string, date: string): Promise<void> {
  const head = await auditHead(warehouse);
  const anchors = await readAnchors(path.join(dataFolder, FILE));
  if ((anchors.at(-1)?.entryId ?? 0) === head.entryId) return;
  await mkdir(dataFolder, { recursive: true });
  await appendFile(path.join(dataFolder, FILE), `${date} ${head.entryId} ${head.hash}\n`);
}

/** Where {@link writeAnchor} writes. */
export const anchorFile = (dataFolder: string): string => path.join(dataFolder, FILE);

/**
 * The anchors of a file; none when there is no such file.
 *
 * @throws AUDIT_ANCHOR naming the line that is none
 */
export async function readAnchors(file: string): Promise<AuditHead[]> {
  const text = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return '';
    throw error;
  });
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line, index) => {
      const [, , entryId, hash] = LINE.exec(line) ?? [];
      if (entryId === undefined || hash === undefined)
        throw new PopshareError('AUDIT_ANCHOR', `${file}:${index + 1}: expected date, entry and hash`);
      return { entryId: Number(entryId), hash };
    });
}
