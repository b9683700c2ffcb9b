import { createHash, randomUUID } from 'node:crypto';
import { mkdir, open, rename, rm } from 'node:fs/promises';
import path from 'node:path';
import type { Readable } from 'node:stream';
import { sql } from 'kysely';
import type { Binding } from '../../schema/configuration/binding.ts';
import { PopshareError } from '../../schema/errors.ts';
import { recordAct } from '../../schema/warehouse/audit.ts';
import type { Warehouse } from '../../schema/warehouse/connect.ts';
import { countRows, linesOfArray } from './rows.ts';

const MEBIBYTE = 1024 * 1024;

/** How long a body may be. Lines stream to the disk; an array is read whole. */
export const MOST_BYTES = { array: 8 * MEBIBYTE, lines: 256 * MEBIBYTE } as const;

/** Rows as a department's system sends them. */
export interface Push {
  readonly binding: Binding;
  /** By which the sender knows this push again: whatever it sends twice under one key is taken once. */
  readonly key: string;
  /** A JSON array of rows, or one row a line. */
  readonly form: keyof typeof MOST_BYTES;
  /** Its bytes; what is not read when this throws, is left to the caller. */
  readonly body: Readable;
  readonly by: string;
}

/** What the sender is told, each time that it sends the push. */
export interface Receipt {
  readonly push_id: number;
  readonly feed: string;
  readonly rows: number;
  /** Of the body as it came. */
  readonly sha256: string;
  readonly received_at: Date;
}

/** Where the pushes of a feed wait, below the data folder: beside what has landed, so that a backup has both. */
export const waitingFolder = (feed: string): string => path.join('landing', feed, 'pushed');

/**
 * Takes a push: its bytes are in the data folder, flushed to the disk, before the ledger knows of it. It then waits for
 * the next night, as a file in the drop does. All of it is taken, or nothing.
 *
 * @throws FEED_SNAPSHOT, ROWS_UNREADABLE, ROWS_COLUMNS, ROWS_EMPTY, SOURCE_TOO_LARGE, REQUEST_INVALID for a body that
 *   breaks off, IDEMPOTENCY_KEY when the key has brought another body before: nothing is kept then
 */
export async function receivePush(warehouse: Warehouse, dataFolder: string, push: Push): Promise<Receipt> {
  const { binding, form } = push;
  if (binding.contract.mode === 'snapshot')
    throw new PopshareError('FEED_SNAPSHOT', `${binding.feed} is sent whole, as a file`);
  const folder = path.join(dataFolder, waitingFolder(binding.feed));
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const name = `push-${randomUUID()}.jsonl`;
  const part = path.join(folder, `${name}.part`);
  const columns = Object.values(binding.columns);
  try {
    const sent = await writeDigested(part, bodyOf(push)).catch((cause: unknown) => {
      if (push.body.readableAborted || push.body.errored !== null)
        throw new PopshareError('REQUEST_INVALID', 'the body broke off', { cause });
      throw cause;
    });
    const taken =
      form === 'lines'
        ? { ...sent, rows: await countRows(part, columns) }
        : await asLines(part, await linesOfArray(part, columns));
    await renameDurably(part, path.join(folder, name));
    const { isNew, receipt } = await enter(warehouse, push, {
      body_digest: sent.sha256,
      rows: taken.rows,
      sha256: taken.sha256,
      stored_path: path.join(waitingFolder(binding.feed), name),
    });
    if (!isNew) await rm(path.join(folder, name), { force: true });
    if (receipt.sha256 !== sent.sha256)
      throw new PopshareError('IDEMPOTENCY_KEY', 'the Idempotency-Key has brought another body before');
    return receipt;
  } catch (error) {
    // Under its last name it may be known to the ledger, should the answer to the commit have been lost.
    await rm(part, { force: true });
    throw error;
  }
}

/** The bytes of the body as they come; the request stays open when it is left early, so that it can be answered. */
async function* bodyOf({ body, form }: Push): AsyncGenerator<Buffer> {
  let bytes = 0;
  for await (const chunk of body.iterator({ destroyOnReturn: false })) {
    const piece = Buffer.from(chunk);
    bytes += piece.length;
    if (bytes > MOST_BYTES[form])
      throw new PopshareError('SOURCE_TOO_LARGE', `the body has more than ${MOST_BYTES[form]} bytes`);
    yield piece;
  }
}

/** Writes bytes to a file, flushed to the disk. @returns their digest */
async function writeDigested(
  file: string,
  bytes: AsyncIterable<Buffer> | Iterable<Buffer>,
): Promise<{ sha256: string }> {
  const digest = createHash('sha256');
  const handle = await open(file, 'w', 0o600);
  try {
    for await (const chunk of bytes) {
      digest.update(chunk);
      await handle.writeFile(chunk);
    }
    await handle.sync();
  } finally {
    await handle.close();
  }
  return { sha256: digest.digest('hex') };
}

/** Renames a file, flushed to the disk as well: whoever is told that it was taken keeps nothing to send again. */
async function renameDurably(from: string, to: string): Promise<void> {
  await rename(from, to);
  const folder = await open(path.dirname(to), 'r');
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}

/** Puts the rows of an array in its place, one a line, as files of the decoder have them. */
async function asLines(
  file: string,
  { rows, lines }: { rows: number; lines: string },
): Promise<{ rows: number; sha256: string }> {
  return { rows, ...(await writeDigested(file, [Buffer.from(lines)])) };
}

/**
 * Enters a push in the ledger and in the audit log, unless its key is there: of several with one key at the same time,
 * one is entered, and the others wait for it.
 *
 * @returns what stands in the ledger under the key
 */
async function enter(
  { db }: Warehouse,
  { binding: { feed }, key, by }: Push,
  taken: { body_digest: string; rows: number; sha256: string; stored_path: string },
): Promise<{ isNew: boolean; receipt: Receipt }> {
  const keyDigest = createHash('sha256').update(key).digest('hex');
  return db.transaction().execute(async (tx) => {
    const entered = await sql<Receipt>`
      INSERT INTO ops.push (feed, key_digest, body_digest, rows, stored_path, sha256, pushed_by)
      VALUES (${feed}, ${keyDigest}, ${taken.body_digest}, ${taken.rows}, ${taken.stored_path}, ${taken.sha256}, ${by})
      ON CONFLICT (feed, key_digest) DO NOTHING
      RETURNING push_id, feed, rows, body_digest AS sha256, received_at`.execute(tx);
    const [receipt] = entered.rows;
    if (receipt !== undefined) {
      const detail = { push_id: receipt.push_id, rows: receipt.rows };
      await recordAct(tx, { actor: by, action: 'push', subject: `feed ${feed}`, detail });
      return { isNew: true, receipt };
    }
    const { rows } = await sql<Receipt>`
      SELECT push_id, feed, rows, body_digest AS sha256, received_at FROM ops.push
      WHERE feed = ${feed} AND key_digest = ${keyDigest}`.execute(tx);
    const [known] = rows;
    if (known === undefined) throw new Error('a push that stood in the way is gone');
    return { isNew: false, receipt: known };
  });
}
