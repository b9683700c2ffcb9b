import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import type { z } from 'zod';
import { PopshareError } from '../errors.ts';
import { filesIn } from './load.ts';
import { parseYaml } from './yaml-file.ts';

/** What stands in a file with a header comment of YAML and one SELECT. */
export interface SqlFile<Fields> {
  readonly fields: Fields;
  /** Of the whole file: another digest means another definition. */
  readonly digest: string;
  /** With numbered parameters. */
  readonly select: string;
  /** The line of the file on which it begins. */
  readonly line: number;
  /** The names that $1, $2 … stand for. */
  readonly names: readonly string[];
}

const HEADER = /^\/\*\n([\s\S]*?)\n\*\/\n/;
/** `:name`, but not `::type`, not inside a word. */
const PARAMETER = /(?<![:\w]):([a-z_]+)/g;

/**
 * Reads a file with a header comment and one SELECT from its text.
 *
 * @param schema what the header must be
 * @param known the names that the SELECT may use as parameters, by the header
 * @param codeOf the code, by the header, with which the file's name must begin
 * @throws CONFIG_INVALID naming file, line and what was expected
 */
export function parseSqlFile<Schema extends z.ZodType>(
  source: string,
  file: string,
  schema: Schema,
  known: (fields: z.output<Schema>) => readonly string[],
  codeOf: (fields: z.output<Schema>) => string,
): SqlFile<z.output<Schema>> {
  const header = HEADER.exec(source);
  if (header?.[1] === undefined)
    throw invalid(file, 1, 'expected a header comment /* … */ of YAML at the top');
  const fields = parseYaml(header[1], schema, file, 2);
  const code = codeOf(fields);
  if (!path.basename(file).startsWith(code))
    throw invalid(file, 2, `expected the file name to begin with ${code}`);
  const firstLine = header[0].split('\n').length;
  const below = source.slice(header[0].length);
  const line = firstLine + (/^\s*/.exec(below)?.[0].split('\n').length ?? 1) - 1;
  const body = below.trim().replace(/;$/, '');
  if (!/^(--.*\n|\s)*(select|with)\b/i.test(body))
    throw invalid(file, firstLine, 'expected one SELECT after the header');
  if (body.includes(';')) throw invalid(file, firstLine, 'expected one statement, found `;` in it');

  const allowed = known(fields);
  const names: string[] = [];
  const select = body.replace(PARAMETER, (_all, name: string) => {
    if (!allowed.includes(name))
      throw invalid(file, firstLine, `:${name} is no parameter of the header (as_of is the night's date)`);
    if (!names.includes(name)) names.push(name);
    return `$${names.indexOf(name) + 1}`;
  });
  return { fields, digest: createHash('sha256').update(source).digest('hex'), select, line, names };
}

/**
 * Reads all such files of a folder, in the order of their codes.
 *
 * @param codeOf what must be another in each file
 * @throws CONFIG_NOT_FOUND, CONFIG_INVALID
 */
export async function loadSqlFiles<Parsed extends { readonly file: string }>(
  folder: string,
  parse: (source: string, file: string) => Parsed,
  codeOf: (parsed: Parsed) => string,
): Promise<Parsed[]> {
  const files = await filesIn(folder, '.sql');
  const all = await Promise.all(files.map(async (file) => parse(await readFile(file, 'utf8'), file)));
  for (const [index, parsed] of all.entries()) {
    const code = codeOf(parsed);
    const twin = all.slice(0, index).find((other) => codeOf(other) === code);
    if (twin !== undefined) throw invalid(parsed.file, 2, `${code} is the code of ${twin.file} too`);
  }
  return all.toSorted((left, right) => (codeOf(left) < codeOf(right) ? -1 : 1));
}

/** The complaint about a line of a file. */
export function invalid(file: string, line: number, what: string): PopshareError {
  return new PopshareError('CONFIG_INVALID', `${file}:${line}: ${what}`);
}
