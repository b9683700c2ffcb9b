import { once } from 'node:events';
import type { PoolClient } from 'pg';
import { from as copyFrom } from 'pg-copy-streams';

/** Characters that the text format of COPY gives a meaning of its own. */
const SPECIAL = /[\\\n\r\t]/;
const ESCAPES: Readonly<Record<string, string>> = { '\\': '\\\\', '\n': '\\n', '\r': '\\r', '\t': '\\t' };

/** One value in the text format of COPY (PostgreSQL manual, COPY, "Text Format"). */
export function copyValue(value: string | null): string {
  if (value === null) return '\\N';
  return SPECIAL.test(value)
    ? value.replace(/[\\\n\r\t]/g, (character) => ESCAPES[character] ?? character)
    : value;
}

/** Rows as one block of COPY text. */
export function copyRows(rows: readonly (readonly (string | null)[])[]): string {
  return rows.map((row) => `${row.map(copyValue).join('\t')}\n`).join('');
}

export interface CopyTarget {
  /** Sends a block of COPY text; resolves when the connection takes more. */
  write(block: string): Promise<void>;
  /** Ends the COPY; resolves when the server has stored every row. */
  finish(): Promise<void>;
  /** Ends the COPY as failed; the server forgets its rows. */
  abort(): Promise<void>;
}

/**
 * Opens a COPY … FROM STDIN on a connection of its own, with back-pressure.
 *
 * @param statement the COPY statement; identifiers must be quoted by the caller
 */
export function openCopy(client: PoolClient, statement: string): CopyTarget {
  const stream = client.query(copyFrom(statement));
  let failure: unknown;
  const settled = new Promise<void>((resolve) => {
    stream.once('finish', resolve);
    // Not `once`: a connection that is gone can fail the COPY and then the giving up of it.
    stream.on('error', (error) => {
      failure ??= error;
      resolve();
    });
    stream.once('close', resolve);
  });
  const check = (): void => {
    if (failure !== undefined) throw failure;
  };
  return {
    async write(block) {
      check();
      if (!stream.write(block)) await Promise.race([once(stream, 'drain'), settled]);
      check();
    },
    async finish() {
      check();
      stream.end();
      await settled;
      check();
    },
    async abort() {
      stream.destroy(new Error('given up by the sender'));
      await settled;
    },
  };
}
