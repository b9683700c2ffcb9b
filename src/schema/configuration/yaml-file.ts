import { readFile } from 'node:fs/promises';
import { isNode, LineCounter, parseDocument } from 'yaml';
import type { z } from 'zod';
import { PopshareError } from '../errors.ts';

/**
 * Reads a YAML file and checks it against a schema.
 *
 * @throws CONFIG_NOT_FOUND when it cannot be read; CONFIG_INVALID naming file, line and what was expected
 */
export async function readYamlFile<Schema extends z.ZodType>(
  file: string,
  schema: Schema,
): Promise<z.output<Schema>> {
  const source = await readFile(file, 'utf8').catch((error: unknown) => {
    throw new PopshareError('CONFIG_NOT_FOUND', `${file} cannot be read`, { cause: error });
  });
  return parseYaml(source, schema, file);
}

/**
 * Checks YAML text against a schema.
 *
 * @param firstLine the line of the file at which the text begins (1 for a whole file)
 * @throws CONFIG_INVALID naming file, line and what was expected
 */
export function parseYaml<Schema extends z.ZodType>(
  source: string,
  schema: Schema,
  file: string,
  firstLine = 1,
): z.output<Schema> {
  const lines = new LineCounter();
  const document = parseDocument(source, { lineCounter: lines });
  const lineAt = (offset: number): number => lines.linePos(offset).line + firstLine - 1;
  const broken = document.errors[0];
  if (broken !== undefined) {
    throw new PopshareError(
      'CONFIG_INVALID',
      `${file}:${lineAt(broken.pos[0])}: not YAML: ${broken.message.split('\n')[0]}`,
    );
  }
  const result = schema.safeParse(document.toJS());
  if (result.success) return result.data;
  const complaints = result.error.issues.map((issue) => {
    const where = issue.path.join('.') || 'the file';
    return `${file}:${lineAt(offsetOf(document, issue.path))}: ${where}: ${issue.message}`;
  });
  throw new PopshareError('CONFIG_INVALID', complaints.join('\n'));
}

/** Where in the text the value at `path` stands, or the nearest thing around it that exists. */
function offsetOf(document: ReturnType<typeof parseDocument>, path: readonly PropertyKey[]): number {
  for (let length = path.length; length > 0; length--) {
    const node = document.getIn(path.slice(0, length), true);
    if (isNode(node) && node.range) return node.range[0];
  }
  return 0;
}
