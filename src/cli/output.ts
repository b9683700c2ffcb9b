import { access, constants, mkdir } from 'node:fs/promises';
import { z } from 'zod';
import { PopshareError } from '../schema/errors.ts';

/** A line for the reader of a command, on stdout. */
export function say(line: string): void {
  process.stdout.write(`${line}\n`);
}

/** A line for whoever watches, on stderr: it never disturbs `--json` or a pipe. */
export function tell(line: string): void {
  process.stderr.write(`${line}\n`);
}

/** The one JSON object of a command with `--json`. */
export function sayJson(value: unknown): void {
  process.stdout.write(`${JSON.stringify(value)}\n`);
}

/** Rows as columns of text, for a terminal. Chinese characters count for two. */
export function table(rows: readonly (readonly string[])[]): string {
  const widths = rows.reduce<number[]>(
    (widest, row) => row.map((cell, at) => Math.max(widest[at] ?? 0, width(cell))),
    [],
  );
  return rows
    .map((row) =>
      row
        .map((cell, at) => cell + ' '.repeat((widths[at] ?? 0) - width(cell)))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

/** Rows as a table under the names of their columns, or a word when there are none. */
export function sayRows(rows: readonly object[], none: string): void {
  const [first] = rows;
  if (first === undefined) say(none);
  else say(table([Object.keys(first), ...rows.map((row) => Object.values(row).map(plain))]));
}

/** A value as one cell of a table. */
export function plain(value: unknown): string {
  if (value === null || value === undefined) return '';
  return typeof value === 'object' ? JSON.stringify(value) : String(value);
}

function width(text: string): number {
  let columns = 0;
  for (const character of text) columns += (character.codePointAt(0) ?? 0) >= 0x1100 ? 2 : 1;
  return columns;
}

/**
 * Makes the folder of `--out`, before a command does what it could not hand over.
 *
 * @throws OUTPUT_FOLDER
 */
export async function outputFolder(folder: string): Promise<void> {
  try {
    await mkdir(folder, { recursive: true });
    await access(folder, constants.W_OK);
  } catch (error) {
    throw new PopshareError('OUTPUT_FOLDER', `${folder} is no folder to write to`, { cause: error });
  }
}

const dateSchema = z.iso.date();

/** @throws USAGE when the text is no date YYYY-MM-DD */
export function dateArgument(text: string): string {
  if (!dateSchema.safeParse(text).success)
    throw new PopshareError('USAGE', `${text} is not a date; expected YYYY-MM-DD`);
  return text;
}

/** @throws USAGE when the text is no whole number above zero */
export function numberArgument(text: string): number {
  if (!/^[1-9]\d{0,14}$/.test(text))
    throw new PopshareError('USAGE', `${text} is not a whole number above zero`);
  return Number(text);
}
