import { constants, type Stats } from 'node:fs';
import { open, realpath, stat } from 'node:fs/promises';
import path from 'node:path';
import type { Readable } from 'node:stream';
import { PopshareError } from '../schema/errors.ts';
import type { Connector, ControlFile, Finding } from './connector.ts';
import { readControlFile } from './control-file.ts';

/** A control file holds four short values; anything larger is something else. */
const CONTROL_FILE_BYTES = 64 * 1024;

/**
 * The file drop: `<root>/<department>/<feed>_<YYYYMMDD>.<extension>`, each extension also with `.gz`, and the
 * control file `<feed>_<YYYYMMDD>.ctl.json` beside it. When files with several extensions are there, the first
 * extension of the binding wins.
 *
 * Nothing outside the root is read: names with path separators and links that lead out throw
 * PATH_OUTSIDE_ROOT. A root or a file that cannot be read throws SOURCE_UNREADABLE.
 *
 * @param root the folder that departments write to
 * @param quietSeconds a file without a control file is taken as completely written only when it has not been
 *   modified for this many seconds
 */
export function fileDrop(root: string, quietSeconds = 10): Connector {
  return {
    async find(feed, businessDate): Promise<Finding> {
      const realRoot = await realPathOfRoot(root);
      const baseName = `${feed.feed}_${businessDate.replaceAll('-', '')}`;
      const names = feed.extensions.flatMap((extension) => [extension, `${extension}.gz`]);

      for (const extension of names) {
        const file = await locate(realRoot, feed.department, `${baseName}.${extension}`);
        if (file === null) continue;
        if (!file.stats.isFile()) return { kind: 'not_ready', reason: `${file.sourceName} 不是普通文件` };

        const control = await findControlFile(realRoot, feed.department, baseName, feed.feed);
        if (control.kind === 'invalid') return { kind: 'not_ready', reason: control.reason };
        if (control.kind === 'none') {
          const reason =
            feed.control === 'required' ? '控制文件尚未到达' : unfinished(file.stats, quietSeconds);
          if (reason !== null) return { kind: 'not_ready', reason: `${file.sourceName}：${reason}` };
        }
        return {
          kind: 'ready',
          arrival: {
            feed: feed.feed,
            businessDate,
            sourceName: file.sourceName,
            extension,
            control: control.kind === 'valid' ? control.control : null,
            open: () => openFile(realRoot, file),
          },
        };
      }
      return { kind: 'absent', looked_for: `${feed.department}/${baseName}.{${names.join(',')}}` };
    },
  };
}

/** A file below the root: `realPath` is free of symbolic links. */
interface LocatedFile {
  sourceName: string;
  realPath: string;
  stats: Stats;
}

async function realPathOfRoot(root: string): Promise<string> {
  try {
    return await realpath(root);
  } catch (cause) {
    throw new PopshareError('SOURCE_UNREADABLE', `The file drop ${root} cannot be read.`, { cause });
  }
}

/** The file below the root, or null when there is none. */
async function locate(realRoot: string, department: string, fileName: string): Promise<LocatedFile | null> {
  const sourceName = `${department}/${fileName}`;
  for (const segment of [department, fileName]) {
    if (segment === '' || segment === '.' || segment === '..' || /[/\\\0]/.test(segment)) {
      throw new PopshareError('PATH_OUTSIDE_ROOT', `"${sourceName}" is not a file of a department's folder.`);
    }
  }
  try {
    const realPath = await realpath(path.join(realRoot, department, fileName));
    refuseOutside(realRoot, realPath, sourceName);
    return { sourceName, realPath, stats: await stat(realPath) };
  } catch (cause) {
    if (hasCode(cause, 'ENOENT') || hasCode(cause, 'ENOTDIR')) return null;
    if (cause instanceof PopshareError) throw cause;
    throw new PopshareError('SOURCE_UNREADABLE', `${sourceName} cannot be read.`, { cause });
  }
}

function refuseOutside(realRoot: string, realPath: string, sourceName: string): void {
  const relative = path.relative(realRoot, realPath);
  if (relative === '..' || relative.startsWith(`..${path.sep}`) || path.isAbsolute(relative)) {
    throw new PopshareError('PATH_OUTSIDE_ROOT', `${sourceName} is a link that leads out of the file drop.`);
  }
}

/** Why a file without a control file may still be being written, or null. */
function unfinished(stats: Stats, quietSeconds: number): string | null {
  if (stats.size === 0) return '文件为空，可能尚未写入';
  const ageSeconds = (Date.now() - stats.mtimeMs) / 1000;
  return ageSeconds < quietSeconds ? `文件在 ${quietSeconds} 秒内仍有写入` : null;
}

type ControlFinding =
  | { kind: 'none' }
  | { kind: 'invalid'; reason: string }
  | { kind: 'valid'; control: ControlFile };

async function findControlFile(
  realRoot: string,
  department: string,
  baseName: string,
  feed: string,
): Promise<ControlFinding> {
  const file = await locate(realRoot, department, `${baseName}.ctl.json`);
  if (file === null) return { kind: 'none' };
  if (!file.stats.isFile() || file.stats.size > CONTROL_FILE_BYTES) {
    return { kind: 'invalid', reason: `${file.sourceName}：控制文件不是普通文件，或大得不像控制文件` };
  }
  const chunks: Buffer[] = [];
  for await (const chunk of await openFile(realRoot, file)) chunks.push(chunk);
  const reading = readControlFile(Buffer.concat(chunks).toString('utf8'), feed);
  return reading.valid
    ? { kind: 'valid', control: reading.control }
    : { kind: 'invalid', reason: `${file.sourceName}：${reading.reason}` };
}

/** O_NOFOLLOW: a file that was exchanged for a link since it was located is refused. */
async function openFile(realRoot: string, file: LocatedFile): Promise<Readable> {
  try {
    refuseOutside(realRoot, await realpath(file.realPath), file.sourceName);
    const handle = await open(file.realPath, constants.O_RDONLY | constants.O_NOFOLLOW);
    return handle.createReadStream({ highWaterMark: 256 * 1024 });
  } catch (cause) {
    if (cause instanceof PopshareError) throw cause;
    if (hasCode(cause, 'ELOOP')) {
      throw new PopshareError('PATH_OUTSIDE_ROOT', `${file.sourceName} became a link.`, { cause });
    }
    throw new PopshareError('SOURCE_UNREADABLE', `${file.sourceName} cannot be opened.`, { cause });
  }
}

function hasCode(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code;
}
