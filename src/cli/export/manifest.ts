import { lstat, readFile, rename, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { z } from 'zod';
import { PopshareError } from '../../schema/errors.ts';

const manifestSchema = z.object({
  /** Who took it out, and when. */
  watermark: z.string(),
  schema: z.string(),
  format: z.enum(['csv', 'parquet']),
  exported_by: z.string(),
  exported_at: z.iso.datetime(),
  /** Of the last night that was done, YYYY-MM-DD; null when there is none. */
  business_date: z.string().nullable(),
  files: z.array(z.object({ view: z.string(), file: z.string(), rows: z.int() })),
});

/** What an export says of itself, in a file beside its own: columns stay as they are, so the watermark is here. */
export type Manifest = z.output<typeof manifestSchema>;

/** What of an export is known before it is read. */
type Kind = Pick<Manifest, 'schema' | 'format'>;

/** The name of an export's manifest. */
export const manifestName = ({ schema, format }: Kind): string => `${schema}.${format}.manifest.json`;

/**
 * The files of an earlier export of this kind in the folder: these are replaced.
 *
 * @throws OUTPUT_EXISTS when another file has the name of the manifest
 */
async function filesOfEarlier(folder: string, kind: Kind): Promise<string[]> {
  const name = manifestName(kind);
  const text = await readFile(path.join(folder, name), 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return null;
    throw new PopshareError('OUTPUT_EXISTS', `${name} cannot be read`, { cause: error });
  });
  if (text === null) return [];
  try {
    return manifestSchema.parse(JSON.parse(text)).files.map(({ file }) => file);
  } catch (cause) {
    throw new PopshareError('OUTPUT_EXISTS', `${name} is not of an export`, { cause });
  }
}

/**
 * Looks whether files with these names may be put into the folder: nothing has such a name yet, or an earlier export of
 * the same kind has put it there.
 *
 * @throws OUTPUT_EXISTS
 */
export async function requireOwn(folder: string, kind: Kind, files: readonly string[]): Promise<void> {
  const earlier = await filesOfEarlier(folder, kind);
  for (const file of files)
    if (!earlier.includes(file) && (await lstat(path.join(folder, file)).catch(() => null)) !== null)
      throw new PopshareError('OUTPUT_EXISTS', `${file} is there, and not of an earlier export`);
}

/**
 * Puts files that are whole in their place, each at one stroke, and the manifest last: who finds it finds what it names.
 * What an earlier export had of views that are no more goes.
 *
 * @param made the folder where the files are, on the same file system
 */
export async function putInPlace(made: string, folder: string, manifest: Manifest): Promise<void> {
  const name = manifestName(manifest);
  const files = manifest.files.map(({ file }) => file);
  const gone = (await filesOfEarlier(folder, manifest)).filter((file) => !files.includes(file));
  const text = `${JSON.stringify(manifest, null, 2)}\n`;
  await writeFile(path.join(made, name), text, { flag: 'wx', flush: true });
  for (const file of [...files, name]) await rename(path.join(made, file), path.join(folder, file));
  for (const file of gone) await rm(path.join(folder, path.basename(file)), { force: true });
}
