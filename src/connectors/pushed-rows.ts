import { open } from 'node:fs/promises';
import type { Arrival } from './connector.ts';

/** What a push is called once it has landed: JSON lines in UTF-8, whatever the binding says of files. */
export const PUSHED = 'pushed';

/** Rows that a department's system pushed, and that wait in a file. */
export interface WaitingPush {
  readonly push_id: number;
  readonly rows: number;
  /** SHA-256 of the file. */
  readonly sha256: string;
  /** Who pushed them. */
  readonly pushed_by: string;
  readonly received_at: Date;
}

/**
 * A push as it arrives: what was counted when it was taken are its control totals.
 *
 * @param file where it waits
 */
export function pushedRows(push: WaitingPush, feed: string, businessDate: string, file: string): Arrival {
  return {
    feed,
    businessDate,
    sourceName: `push ${push.push_id} of ${push.pushed_by}`,
    extension: PUSHED,
    control: { feed, rows: push.rows, sha256: push.sha256, generatedAt: push.received_at.toISOString() },
    open: async () => (await open(file)).createReadStream({ highWaterMark: 256 * 1024 }),
  };
}
